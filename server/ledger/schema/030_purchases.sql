-- Coins for money: what can be bought, who bought it, what providers said about it, and what they took back.

-- Prices never change in place: a new price is a new version, and a purchase keeps the version that it was made at.
CREATE TABLE packages (
    package_id text NOT NULL CHECK (package_id ~ '^[a-z0-9][a-z0-9_.]{0,63}$'),  -- in the app stores: the product's id
    version    integer NOT NULL CHECK (version > 0),
    platform   text NOT NULL CHECK (platform IN ('web', 'ios', 'android')),
    region     text NOT NULL CHECK (region ~ '^([A-Z]{2}|\*)$'),  -- ISO 3166-1 alpha-2; *: wherever nothing closer is offered
    currency   text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),     -- ISO 4217
    coins      bigint NOT NULL CHECK (coins BETWEEN 1 AND 1000000000),
    amount     bigint NOT NULL CHECK (amount BETWEEN 1 AND 1000000000),  -- minor units
    -- For a custom amount: how many coins can be asked for. Each costs amount / coins, rounded up at the end.
    coins_min  bigint,
    coins_max  bigint,
    active     boolean NOT NULL DEFAULT true,
    -- Came from server/domain/packages.json: later seeds are compared with this version, not with one an operator made.
    seeded     boolean NOT NULL DEFAULT false,
    valid_from timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (package_id, version),
    CHECK (num_nulls(coins_min, coins_max) = 2 OR (coins_min > 0 AND coins_min <= coins_max AND coins_max <= 1000000000))
);

CREATE TABLE purchases (
    id              text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    user_id         text NOT NULL REFERENCES users,
    provider        text NOT NULL CHECK (provider IN ('sandbox', 'stripe', 'apple', 'google')),
    method          text NOT NULL,
    -- The provider's own id of the payment, as soon as it is known; what its receipts and disputes name.
    transaction     text,
    -- The provider's id of what the buyer was sent to, before there is a payment; what the provider is asked by.
    checkout        text,
    platform        text NOT NULL CHECK (platform IN ('web', 'ios', 'android')),
    region          text NOT NULL CHECK (region ~ '^[A-Z]{2}$'),  -- ZZ: not known
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount          bigint NOT NULL CHECK (amount > 0),  -- minor units
    coins           bigint NOT NULL CHECK (coins > 0),
    bonus_coins     bigint NOT NULL DEFAULT 0 CHECK (bonus_coins >= 0),
    -- What of them is taken back at present, as the provider took its money back.
    coins_back      bigint NOT NULL DEFAULT 0 CHECK (coins_back BETWEEN 0 AND coins),
    bonus_back      bigint NOT NULL DEFAULT 0 CHECK (bonus_back BETWEEN 0 AND bonus_coins),
    package_id      text NOT NULL,
    package_version integer NOT NULL,
    status          text NOT NULL DEFAULT 'created' CHECK (status IN (
        'created',       -- the buyer was sent to the provider
        'pending',       -- the provider waits for the money
        'paid',          -- the money is there, the coins are not yet
        'credited',      -- the coins are there
        'declined',
        'expired',       -- nobody paid in time; a payment that comes later all the same is credited
        'refunded',      -- all of the money was given back, and the coins were taken back
        'charged_back'   -- a bank took the money back, so far or for good: so were the coins
    )),
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz NOT NULL,
    paid_at         timestamptz,
    credited_at     timestamptz,
    -- When the provider was last asked what became of it, and when it was told that the coins were delivered.
    asked_at        timestamptz,
    finished_at     timestamptz,
    FOREIGN KEY (package_id, package_version) REFERENCES packages,
    UNIQUE (provider, transaction),
    UNIQUE (provider, checkout),
    CHECK ((status IN ('credited', 'refunded', 'charged_back')) = (credited_at IS NOT NULL)),
    CHECK (status <> 'paid' OR paid_at IS NOT NULL)
);
CREATE INDEX purchases_by_user ON purchases (user_id, created_at DESC, id);
CREATE INDEX purchases_under_way ON purchases (status, created_at) WHERE status IN ('created', 'pending', 'paid');
CREATE INDEX purchases_unfinished ON purchases (credited_at) WHERE credited_at IS NOT NULL AND finished_at IS NULL;

-- Everything that providers told, each once, also what could not be used: (provider, event) is what makes a repeated
-- notification harmless.
CREATE TABLE payment_events (
    provider    text NOT NULL,
    event       text NOT NULL CHECK (length(event) BETWEEN 1 AND 255),
    kind        text NOT NULL,
    transaction text,
    purchase_id text REFERENCES purchases,
    outcome     text NOT NULL CHECK (outcome IN (
        'applied',    -- or nothing new
        'unmatched',  -- no purchase is known for it yet; applied as soon as one is
        'mismatch'    -- its purchase is of another amount, product or account: nothing was done
    )),
    detail      jsonb NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (provider, event)
);
CREATE INDEX payment_events_by_purchase ON payment_events (purchase_id, at);
CREATE INDEX payment_events_unmatched ON payment_events (provider, transaction) WHERE outcome = 'unmatched';

-- The account of a buyer as the app stores know it: what an app passes along with a payment.
CREATE TABLE store_accounts (
    token   uuid PRIMARY KEY,
    user_id text NOT NULL UNIQUE REFERENCES users
);

-- What providers took back of purchases: refunds, and chargebacks that a bank opened. Facts only; purchases.coins_back
-- follows from them, so that their order does not matter.
CREATE TABLE claims (
    provider    text NOT NULL,
    claim       text NOT NULL CHECK (length(claim) BETWEEN 1 AND 255),  -- the provider's own id of the refund or dispute
    purchase_id text NOT NULL REFERENCES purchases,
    kind        text NOT NULL CHECK (kind IN ('refund', 'chargeback')),
    amount      bigint NOT NULL CHECK (amount >= 0),  -- minor units
    state       text NOT NULL CHECK (state IN (
        'open',     -- a dispute under way: the money is gone for now
        'stands',   -- the money is gone for good
        'returned'  -- the money came back
    )),
    at          timestamptz NOT NULL DEFAULT now(),
    decided_at  timestamptz,
    PRIMARY KEY (provider, claim)
);
CREATE INDEX claims_by_purchase ON claims (purchase_id);

-- Purchases whose coins were taken back, until the wallet was seen to owe nothing: the sweeper comes back to them.
CREATE TABLE recoveries (
    purchase_id text PRIMARY KEY REFERENCES purchases,
    user_id     text NOT NULL REFERENCES users,
    at          timestamptz NOT NULL DEFAULT now(),
    -- From then on the diamonds that are held for it go; null while a dispute is under way.
    reverse_at  timestamptz,
    cleared_at  timestamptz,
    looked_at   timestamptz
);
CREATE INDEX recoveries_open ON recoveries (looked_at NULLS FIRST) WHERE cleared_at IS NULL;
CREATE INDEX recoveries_open_by_user ON recoveries (user_id) WHERE cleared_at IS NULL;

-- Diamonds that a creator cannot be paid, as the coins behind these gifts were taken back after they were spent.
CREATE TABLE holds (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    purchase_id text NOT NULL REFERENCES purchases,
    viewer_id   text NOT NULL,
    creator_id  text NOT NULL,
    shard       smallint NOT NULL,
    epoch       integer NOT NULL,
    number      bigint NOT NULL,
    coins       bigint NOT NULL CHECK (coins > 0),      -- of the gift's price
    diamonds    bigint NOT NULL CHECK (diamonds >= 0),  -- as many as the creator still had
    state       text NOT NULL DEFAULT 'held' CHECK (state IN ('held', 'released', 'reversed')),
    at          timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz,
    CHECK ((state = 'held') = (ended_at IS NULL))
);
CREATE INDEX holds_by_purchase ON holds (purchase_id);
CREATE INDEX holds_by_gift ON holds (viewer_id, epoch, number);
CREATE INDEX holds_by_creator ON holds (creator_id) WHERE state = 'held';
