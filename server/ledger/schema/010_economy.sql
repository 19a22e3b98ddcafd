-- What the coin economy stands on: postings beyond settlements and credits, people's particulars, answers given once, notices.

-- Anything else that moves amounts names what it was for: (kind, reference) is booked once, like a credit's number.
ALTER TABLE postings ADD COLUMN reference text;
ALTER TABLE postings DROP CONSTRAINT postings_kind_check, DROP CONSTRAINT postings_check;
ALTER TABLE postings
    ADD CONSTRAINT postings_kind_check CHECK (kind IN (
        'settlement',  -- a stretch of a shard's log
        'credit',      -- coins into a wallet, or taken back
        'payout',      -- diamonds reserved, paid out or returned
        'hold',        -- diamonds held back, or let go, because the coins behind them are disputed
        'reversal'     -- what a creator earned and has to give back
    )),
    ADD CONSTRAINT postings_name_what_they_book CHECK (CASE kind
        WHEN 'settlement' THEN num_nulls(shard, epoch, first_number, last_number) = 0 AND first_number <= last_number
        WHEN 'credit' THEN num_nulls(user_id, credit_number) = 0
        ELSE reference IS NOT NULL
    END);
CREATE UNIQUE INDEX postings_by_reference ON postings (kind, reference) WHERE reference IS NOT NULL;

-- A refund takes back what was bought; a return gives back what was spent.
ALTER TABLE credits DROP CONSTRAINT credits_kind_check;
ALTER TABLE credits
    ADD CONSTRAINT credits_kind_check CHECK (kind IN ('purchase', 'promotion', 'correction', 'refund', 'return')),
    ADD CONSTRAINT credits_sign CHECK (coins > 0 OR kind IN ('refund', 'correction'));

-- What a user told of themselves, once; a change of region is flagged and never reprices by itself.
CREATE TABLE profiles (
    user_id    text PRIMARY KEY REFERENCES users,
    region     text CHECK (region ~ '^[A-Z]{2}$'),  -- ISO 3166-1 alpha-2
    birth_date date,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Answers to requests that carried an Idempotency-Key, written by the transaction that did what was asked.
CREATE TABLE answered_requests (
    user_id     text NOT NULL,
    key         text NOT NULL,
    fingerprint text NOT NULL,
    status      smallint,
    answer      bytea,
    at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, key)
);
CREATE INDEX answered_requests_by_age ON answered_requests (at);

-- What a user is told: shown in the feed, and at once on open sockets.
CREATE TABLE notices (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id text NOT NULL,
    kind    text NOT NULL,
    message text NOT NULL,
    detail  jsonb NOT NULL DEFAULT '{}',
    at      timestamptz NOT NULL DEFAULT now(),
    read_at timestamptz
);
CREATE INDEX notices_by_user ON notices (user_id, id DESC);
