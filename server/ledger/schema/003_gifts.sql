-- Settled gifts, by the day they were accepted. A gift is (shard, epoch, number); `at_us` is microseconds since the Unix epoch, UTC,
-- as everywhere on the wire. coins, diamonds: of the whole gift. No foreign keys: settlement checks room, creator, viewer and price
-- of each gift itself, and at tens of thousands of rows a second a look-up for each would be the largest cost.
CREATE TABLE gifts (
    at_us       bigint NOT NULL,
    number      bigint NOT NULL CHECK (number > 0),
    coins_after bigint NOT NULL,
    combo       bigint NOT NULL,
    combo_first bigint NOT NULL,
    coins       bigint NOT NULL,
    diamonds    bigint NOT NULL,
    epoch       integer NOT NULL,
    version     integer NOT NULL,
    count       integer NOT NULL,
    shard       smallint NOT NULL,
    viewer_id   text NOT NULL,
    room_id     text NOT NULL,
    creator_id  text NOT NULL,
    gift_id     text NOT NULL,
    request_id  text NOT NULL,
    -- Also how a shard's newest gifts are found when its answers are remembered anew.
    PRIMARY KEY (shard, epoch, number, at_us)
) PARTITION BY RANGE (at_us);

-- A viewer's history, newest first; a viewer's gifts are all of one shard.
CREATE INDEX gifts_by_viewer ON gifts (viewer_id, epoch, number);

-- Takes what no day was made for, so that a wrong clock never stops settlement (server/ledger/partitions.py moves it out).
CREATE TABLE gifts_default PARTITION OF gifts DEFAULT;

CREATE TRIGGER gifts_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gifts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
