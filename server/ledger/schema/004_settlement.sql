-- How far each shard's log is settled. The row is lock and place in one: who settles holds it.
CREATE TABLE shards (
    shard      smallint PRIMARY KEY,
    epoch      integer NOT NULL DEFAULT 0 CHECK (epoch >= 0),
    number     bigint NOT NULL DEFAULT 0 CHECK (number >= 0),
    settled_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 10);

-- Gifts that could not be settled. Their numbers are behind the cursor, their coins are still in the ledger's balance
-- and no longer in Redis; open ones are subtracted wherever a wallet or room is read.
-- viewer_id … count are null where the record could not be read.
CREATE TABLE quarantine (
    shard       smallint NOT NULL,
    epoch       integer NOT NULL,
    number      bigint NOT NULL,
    reason      text NOT NULL,
    record      text NOT NULL,
    viewer_id   text,
    room_id     text,
    coins       bigint,
    diamonds    bigint,
    count       integer,
    at          timestamptz NOT NULL DEFAULT now(),
    resolved_at timestamptz,
    PRIMARY KEY (shard, epoch, number)
);

CREATE INDEX quarantine_open_by_viewer ON quarantine (viewer_id) WHERE resolved_at IS NULL;
CREATE INDEX quarantine_open_by_room ON quarantine (room_id) WHERE resolved_at IS NULL;

-- What an operator should know: a shard begun anew, a gap in a log.
CREATE TABLE incidents (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at     timestamptz NOT NULL DEFAULT now(),
    shard  smallint,
    kind   text NOT NULL,
    detail jsonb NOT NULL
);
