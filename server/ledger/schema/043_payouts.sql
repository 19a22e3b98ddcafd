-- Cash-out: diamonds become money, once.

-- Where a creator is paid. The destination is sealed (server/economy/sealing.py); everybody else reads the masked one.
CREATE TABLE payout_methods (
    id          text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    creator_id  text NOT NULL REFERENCES users,
    kind        text NOT NULL CHECK (kind IN ('bank', 'paypal')),
    holder      text NOT NULL,
    sealed      bytea NOT NULL,
    masked      text NOT NULL,
    -- The same for the same destination, whoever's it is.
    fingerprint bytea NOT NULL,
    made_at     timestamptz NOT NULL DEFAULT now(),
    removed_at  timestamptz
);
CREATE INDEX payout_methods_by_creator ON payout_methods (creator_id, made_at);
CREATE INDEX payout_methods_by_fingerprint ON payout_methods (fingerprint);

-- The payout's id is also its reference at the provider: asked twice, it pays once.
CREATE TABLE payouts (
    id            text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    creator_id    text NOT NULL REFERENCES users,
    method_id     text NOT NULL REFERENCES payout_methods,
    provider      text NOT NULL,
    diamonds      bigint NOT NULL CHECK (diamonds > 0),
    amount        bigint NOT NULL CHECK (amount > 0),  -- minor units
    currency      text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    rate          text NOT NULL,                       -- minor units for a diamond, as a fraction
    state         text NOT NULL DEFAULT 'requested' CHECK (state IN (
        'requested',  -- asked for; its diamonds are reserved in the same transaction
        'held',       -- its diamonds are reserved
        'review',     -- looked at: by the rules, and where these find something, by a person
        'sent',       -- the provider has the order
        'paid',       -- the money is there
        'failed',     -- refused in review, or by the provider
        'returned'    -- its diamonds are the creator's again
    )),
    flags         text[] NOT NULL DEFAULT '{}',
    approved_by   text,
    approved_at   timestamptz,
    sending_at    timestamptz,                         -- from then on only the provider knows whether it has the order
    transfer      text,                                -- the provider's own id
    reason        text,
    requested_at  timestamptz NOT NULL DEFAULT now(),
    changed_at    timestamptz NOT NULL DEFAULT now(),
    -- When the provider is asked next, while there is something to hear of it.
    ask_at        timestamptz,
    expected_from date NOT NULL,
    expected_to   date NOT NULL,
    UNIQUE (provider, transfer),
    CHECK (num_nulls(approved_by, approved_at) IN (0, 2)),
    CHECK (state NOT IN ('sent', 'paid') OR num_nulls(approved_at, sending_at, transfer) = 0),
    CHECK (sending_at IS NULL OR approved_at IS NOT NULL)
);
CREATE INDEX payouts_by_creator ON payouts (creator_id, requested_at DESC, id);
CREATE INDEX payouts_by_method ON payouts (method_id);
CREATE INDEX payouts_to_drive ON payouts (state, changed_at) WHERE state IN ('held', 'review', 'failed');
CREATE INDEX payouts_to_ask ON payouts (ask_at) WHERE ask_at IS NOT NULL;

-- What became of each payout, in order.
CREATE TABLE payout_events (
    payout_id text NOT NULL REFERENCES payouts,
    number    integer NOT NULL CHECK (number > 0),
    state     text NOT NULL,
    by_id     text NOT NULL,  -- a user, 'rules', 'demo' or the provider
    detail    text,
    at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (payout_id, number)
);
CREATE TRIGGER payout_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payout_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The books of the provider that moves no money: kept apart, as a real one's would be.
CREATE TABLE sandbox_transfers (
    reference    text PRIMARY KEY,
    transfer     text NOT NULL UNIQUE,
    kind         text NOT NULL,
    masked       text NOT NULL,
    amount       bigint NOT NULL CHECK (amount > 0),
    currency     text NOT NULL,
    outcome      text NOT NULL CHECK (outcome IN ('pays', 'fails', 'returns')),
    arrives_days smallint NOT NULL,  -- business days
    accepted_at  timestamptz NOT NULL DEFAULT now()
);
