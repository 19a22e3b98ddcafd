-- What creators earned, added up by hour, by kind of gift and by gifter: read by their studio and by cash-outs.
-- Filled behind settlement's cursor, each gift once (server/ledger/creators/rollup.py); hours and days are counted from the
-- Unix epoch, UTC, by when the gift was accepted.

-- How far each shard's gifts are added up; at_us: when the newest of them was accepted.
CREATE TABLE earning_marks (
    shard  smallint PRIMARY KEY,
    epoch  integer NOT NULL DEFAULT 0,
    number bigint NOT NULL DEFAULT 0,
    at_us  bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10);

CREATE TABLE earned_hours (
    creator_id text NOT NULL,
    hour       bigint NOT NULL,
    coins      bigint NOT NULL,
    diamonds   bigint NOT NULL,
    gifts      bigint NOT NULL,
    PRIMARY KEY (creator_id, hour)
) WITH (fillfactor = 70);

CREATE TABLE earned_gifts (
    creator_id text NOT NULL,
    day        bigint NOT NULL,
    room_id    text NOT NULL,
    gift_id    text NOT NULL,
    coins      bigint NOT NULL,
    diamonds   bigint NOT NULL,
    gifts      bigint NOT NULL,
    PRIMARY KEY (creator_id, day, room_id, gift_id)
) WITH (fillfactor = 70);

CREATE TABLE earned_gifters (
    creator_id text NOT NULL,
    day        bigint NOT NULL,
    viewer_id  text NOT NULL,
    coins      bigint NOT NULL,
    diamonds   bigint NOT NULL,
    gifts      bigint NOT NULL,
    PRIMARY KEY (creator_id, day, viewer_id)
) WITH (fillfactor = 70);
