-- Challenges (reach a count), contests (a ranking with prizes) and events (a goal for all together).
-- Their terms never change in place; a new version is possible until the start.
CREATE TABLE challenges (
    id           text NOT NULL CHECK (id ~ '^[a-z0-9-]{1,40}$'),
    version      integer NOT NULL CHECK (version > 0),
    kind         text NOT NULL CHECK (kind IN ('challenge', 'contest', 'event')),
    title        text NOT NULL,
    metric       text NOT NULL CHECK (metric IN ('gifts', 'coins', 'rooms_gifted', 'rooms_watched')),
    side         text NOT NULL CHECK (side IN ('viewer', 'creator')), -- whose gifts count: given, or received
    gift_ids     text[],                                              -- null: all
    starts_at    timestamptz NOT NULL,
    ends_at      timestamptz NOT NULL,                                -- not in it any more
    goal         bigint,                                              -- of each (challenge) or all together (event)
    least        bigint NOT NULL CHECK (least > 0),                   -- what it takes to be ranked, or to share
    reward_coins bigint,
    winners_max  bigint,
    prizes       bigint[],                                            -- coins of the first place, the second, …
    opt_in       boolean NOT NULL,                                    -- only who says so takes part
    created_by   text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, version),
    CHECK (starts_at < ends_at),
    CHECK (side = 'viewer' OR metric IN ('gifts', 'coins')),
    CHECK (gift_ids IS NULL OR metric <> 'rooms_watched'),
    CHECK (CASE kind
        WHEN 'contest' THEN num_nonnulls(goal, reward_coins, winners_max) = 0 AND cardinality(prizes) BETWEEN 1 AND 100
        ELSE num_nulls(goal, reward_coins, winners_max) = 0 AND prizes IS NULL
             AND goal > 0 AND reward_coins > 0 AND winners_max > 0
    END)
);
CREATE TRIGGER challenges_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON challenges
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE challenge_states (
    challenge_id    text PRIMARY KEY,
    -- closing: over, and gifts of its time may still be on their way through settlement
    state           text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closing', 'ended', 'cancelled')),
    -- What was settled before it was first looked at is in its progress.
    counted_in      boolean NOT NULL DEFAULT false,
    total           bigint NOT NULL DEFAULT 0 CHECK (total >= 0),
    winners         bigint NOT NULL DEFAULT 0 CHECK (winners >= 0),
    -- How far each shard's log had come after the end: [shard] → epoch and number.
    closing_epochs  bigint[],
    closing_numbers bigint[],
    ended_at        timestamptz
) WITH (fillfactor = 50);
CREATE INDEX challenge_states_live ON challenge_states (challenge_id) WHERE state IN ('open', 'closing');

-- How far each shard's settled gifts are counted into the challenges: its own place, behind the ledger's cursor.
CREATE TABLE challenge_cursors (
    shard  smallint PRIMARY KEY,
    epoch  integer NOT NULL DEFAULT 0,
    number bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10);

CREATE TABLE challenge_progress (
    challenge_id text NOT NULL,
    user_id      text NOT NULL,
    amount       bigint NOT NULL CHECK (amount >= 0),
    reached_us   bigint NOT NULL, -- when the last of it was added; of equals, who was there first stands higher
    taking_part  boolean NOT NULL,
    outcome      text CHECK (outcome IN ('rewarded', 'too_late', 'blocked')),
    PRIMARY KEY (challenge_id, user_id)
) WITH (fillfactor = 70);
CREATE INDEX challenge_progress_ranked ON challenge_progress (challenge_id, amount DESC, reached_us, user_id)
    WHERE taking_part;
CREATE INDEX challenge_progress_waiting ON challenge_progress (challenge_id, amount)
    WHERE taking_part AND outcome IS NULL;

-- Rooms that count as one each.
CREATE TABLE challenge_rooms (
    challenge_id text NOT NULL,
    user_id      text NOT NULL,
    room_id      text NOT NULL,
    PRIMARY KEY (challenge_id, user_id, room_id)
);

-- The places of a contest, as they were when it ended.
CREATE TABLE contest_places (
    challenge_id text NOT NULL,
    place        integer NOT NULL CHECK (place > 0),
    user_id      text NOT NULL,
    amount       bigint NOT NULL,
    coins        bigint NOT NULL CHECK (coins > 0),
    paid         boolean NOT NULL DEFAULT false,
    PRIMARY KEY (challenge_id, place),
    UNIQUE (challenge_id, user_id)
);
CREATE INDEX contest_places_unpaid ON contest_places (challenge_id, place) WHERE NOT paid;
