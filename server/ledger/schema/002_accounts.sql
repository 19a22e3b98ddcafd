-- Double entry: every posting moves amounts between accounts, and sums to zero in each currency.

CREATE TYPE currency AS ENUM ('coins', 'diamonds');

-- Owners are users, and `platform/w07` for the platform: one set of platform accounts for each wallet shard, so that
-- settlements of different shards never wait for one row. A user's id cannot contain a slash.
CREATE TABLE accounts (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner    text NOT NULL,
    kind     text NOT NULL,
    currency currency NOT NULL,
    balance  bigint NOT NULL DEFAULT 0,
    -- A refund that takes coins already spent leaves a debt: a state of its own, never a plain negative balance.
    in_debt  boolean NOT NULL DEFAULT false,
    UNIQUE (owner, kind),
    CONSTRAINT kind_has_its_currency CHECK (
        (currency = 'coins' AND kind IN (
            'wallet',             -- a viewer's coins
            'coins_spent',        -- platform: coins of settled gifts
            'coins_purchased',    -- platform, contra: minus the coins issued for money
            'coins_promotional',  -- platform, contra: minus the coins given away
            'coins_corrected'     -- platform, contra: minus the coins issued by hand
        )) OR
        (currency = 'diamonds' AND kind IN (
            'diamonds_issued',    -- platform, contra: minus the diamonds ever earned
            'diamonds_available', -- creator: earned, can be paid out
            'diamonds_held',      -- creator: reserved for a payout under way
            'diamonds_paid'       -- creator: paid out
        ))
    ),
    CONSTRAINT balance_not_negative CHECK (
        balance >= 0 OR in_debt OR kind IN ('coins_purchased', 'coins_promotional', 'coins_corrected', 'diamonds_issued')
    ),
    CONSTRAINT debt_is_a_wallet CHECK (NOT in_debt OR kind = 'wallet'),
    CONSTRAINT balance_counts_exactly CHECK (abs(balance) < 9007199254740992)
) WITH (fillfactor = 75);

-- Why amounts moved: a settled stretch of a shard's log, or one credit.
CREATE TABLE postings (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind          text NOT NULL CHECK (kind IN ('settlement', 'credit')),
    shard         smallint,
    epoch         integer,
    first_number  bigint,
    last_number   bigint,
    user_id       text,
    credit_number bigint,
    at            timestamptz NOT NULL DEFAULT now(),
    CHECK (CASE kind
        WHEN 'settlement' THEN num_nulls(shard, epoch, first_number, last_number) = 0 AND first_number <= last_number
        ELSE num_nulls(user_id, credit_number) = 0
    END)
);

-- A second guard, behind the cursor: no stretch of a log is booked twice, and no credit.
CREATE UNIQUE INDEX postings_by_stretch ON postings (shard, epoch, first_number) WHERE kind = 'settlement';
CREATE UNIQUE INDEX postings_by_credit ON postings (user_id, credit_number) WHERE kind = 'credit';

-- No foreign keys here: they would cost a look-up for each row, and the accounts are updated by id, and counted, in the same transaction.
CREATE TABLE entries (
    posting_id bigint NOT NULL,
    account_id bigint NOT NULL,
    amount     bigint NOT NULL CHECK (amount <> 0),
    currency   currency NOT NULL,
    PRIMARY KEY (posting_id, account_id)
);

-- All entries of a posting are inserted by one statement; this refuses any statement that makes or loses money.
CREATE FUNCTION refuse_unbalanced_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM added GROUP BY posting_id, currency HAVING sum(amount) <> 0) THEN
        RAISE EXCEPTION 'the entries of a posting do not sum to zero';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER entries_sum_to_zero AFTER INSERT ON entries
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION refuse_unbalanced_entries();

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: a mistake is corrected by another posting', TG_TABLE_NAME;
END $$;

CREATE TRIGGER postings_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON postings
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What gives a viewer coins. Numbered without a gap for each user, so that Redis can apply each exactly once.
CREATE TABLE credits (
    user_id    text NOT NULL REFERENCES users,
    number     bigint NOT NULL CHECK (number > 0),
    coins      bigint NOT NULL CHECK (coins <> 0),
    kind       text NOT NULL CHECK (kind IN ('purchase', 'promotion', 'correction')),
    reference  text NOT NULL,
    reason     text NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    -- When Redis was seen to have it; null is what the sweeper looks for.
    applied_at timestamptz,
    PRIMARY KEY (user_id, number),
    UNIQUE (kind, reference)
);

CREATE INDEX credits_unapplied ON credits (at) WHERE applied_at IS NULL;
