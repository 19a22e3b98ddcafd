-- Coins that are given: each reward has one promotional credit, whose reference is `<source>:<reference>`.
CREATE TABLE rewards (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source    text NOT NULL CHECK (source IN ('bonus', 'referral', 'challenge', 'contest', 'event', 'rewarded')),
    reference text NOT NULL,
    user_id   text NOT NULL,
    coins     bigint NOT NULL CHECK (coins > 0),
    message   text NOT NULL,
    at        timestamptz NOT NULL DEFAULT now(),
    UNIQUE (source, reference)
);
CREATE INDEX rewards_by_user ON rewards (user_id, id DESC);
CREATE TRIGGER rewards_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON rewards
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Promotions never change in place: the newest version holds, and what a purchase was promised names its version.
CREATE TABLE promotions (
    id                  text NOT NULL CHECK (id ~ '^[a-z0-9-]{1,40}$'),
    version             integer NOT NULL CHECK (version > 0),
    name                text NOT NULL,
    kind                text NOT NULL CHECK (kind IN ('bonus', 'discount')),
    percent             smallint,             -- of the coins bought on top, or off the price
    coins               bigint,               -- so many on top, instead of a percentage
    starts_at           timestamptz NOT NULL,
    ends_at             timestamptz NOT NULL, -- not in it any more
    regions             text[],               -- null: all, likewise below
    platforms           text[],
    packages            text[],
    first_purchase_only boolean NOT NULL,
    budget_coins        bigint,               -- bonus coins in all
    uses_max            bigint NOT NULL CHECK (uses_max > 0),
    per_user_max        integer NOT NULL CHECK (per_user_max > 0),
    active              boolean NOT NULL,
    created_by          text NOT NULL,
    created_at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, version),
    CHECK (starts_at < ends_at),
    CHECK (CASE kind
        WHEN 'bonus' THEN num_nonnulls(percent, coins) = 1 AND coalesce(percent BETWEEN 1 AND 500, coins > 0)
                          AND budget_coins IS NOT NULL AND budget_coins > 0
        ELSE percent BETWEEN 1 AND 90 AND coins IS NULL AND budget_coins IS NULL
    END)
);
CREATE TRIGGER promotions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON promotions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What of a promotion is used, over all of its versions: promised to purchases under way, or granted.
CREATE TABLE promotion_usage (
    promotion_id text PRIMARY KEY,
    coins        bigint NOT NULL DEFAULT 0 CHECK (coins >= 0),
    uses         bigint NOT NULL DEFAULT 0 CHECK (uses >= 0),
    announced_at timestamptz
) WITH (fillfactor = 50);

-- What a purchase was promised when it was made, and what became of the promise.
CREATE TABLE deals (
    purchase_id    text NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('bonus', 'discount')),
    promotion_id   text NOT NULL,
    version        integer NOT NULL,
    user_id        text NOT NULL,
    first_purchase boolean NOT NULL,
    coins          bigint NOT NULL CHECK (coins >= 0),    -- bonus
    discount       bigint NOT NULL CHECK (discount >= 0), -- off the price, in minor units of the purchase's currency
    state          text NOT NULL DEFAULT 'promised' CHECK (state IN ('promised', 'granted', 'released')),
    at             timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (purchase_id, kind),
    FOREIGN KEY (promotion_id, version) REFERENCES promotions (id, version),
    CHECK ((kind = 'bonus') = (coins > 0) AND (kind = 'discount') = (discount > 0))
);
CREATE INDEX deals_in_use ON deals (user_id, promotion_id) WHERE state <> 'released';
CREATE INDEX deals_promised ON deals (at) WHERE state = 'promised';
