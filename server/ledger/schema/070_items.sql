-- Spending beyond gifts. Each item is a row of the catalogue, is paid through the same log as a gift, and is a row of `gifts` once settled;
-- what it does is one more row, written by the same transaction and named by the gift's place in the log.

ALTER TABLE catalogue ADD COLUMN kind text NOT NULL DEFAULT 'gift'
    CHECK (kind IN ('gift', 'highlight', 'effect', 'sticker', 'ticket', 'promote', 'upgrade'));

-- A room that needs a ticket keeps the price that it was opened at. It was cancelled when it ended before it had well begun.
ALTER TABLE rooms
    ADD COLUMN ticket_id text,
    ADD COLUMN ticket_version integer,
    ADD COLUMN starts_at timestamptz,
    ADD COLUMN cancelled boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT ticket_is_priced FOREIGN KEY (ticket_id, ticket_version) REFERENCES catalogue MATCH FULL,
    ADD CONSTRAINT cancelled_is_ended CHECK (NOT cancelled OR state = 'ended');

-- Comments, effects and stickers on a room's screen. lasting_s: all pieces together.
CREATE TABLE shown (
    shard      smallint NOT NULL,
    epoch      integer NOT NULL,
    number     bigint NOT NULL,
    room_id    text NOT NULL,
    viewer_id  text NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('highlight', 'effect', 'sticker')),
    item_id    text NOT NULL,
    text       text NOT NULL,
    coins      bigint NOT NULL,
    at_us      bigint NOT NULL,
    lasting_s  bigint NOT NULL CHECK (lasting_s > 0),
    taken_down boolean NOT NULL DEFAULT false,
    PRIMARY KEY (shard, epoch, number)
);
CREATE INDEX shown_by_room ON shown (room_id, at_us DESC);

-- Tickets of exclusive rooms. Their diamonds are held until the room can no longer be cancelled; then they are released,
-- or returned together with the coins. The second ticket of a viewer for a room is one too many, and returned as well.
CREATE TABLE tickets (
    shard       smallint NOT NULL,
    epoch       integer NOT NULL,
    number      bigint NOT NULL,
    room_id     text NOT NULL,
    viewer_id   text NOT NULL,
    creator_id  text NOT NULL,
    coins       bigint NOT NULL CHECK (coins > 0),
    diamonds    bigint NOT NULL CHECK (diamonds >= 0),
    at_us       bigint NOT NULL,
    spare       boolean NOT NULL,
    released_at timestamptz,
    returned_at timestamptz,
    PRIMARY KEY (shard, epoch, number),
    CHECK (num_nonnulls(released_at, returned_at) < 2)
);
CREATE UNIQUE INDEX tickets_once ON tickets (room_id, viewer_id) WHERE NOT spare;
CREATE INDEX tickets_open ON tickets (room_id) WHERE released_at IS NULL AND returned_at IS NULL;

-- Placements of rooms in the list of rooms, until the impressions that were paid are delivered. Gateways deliver from
-- what they hold for a while; what they report is counted here.
CREATE TABLE placements (
    shard          smallint NOT NULL,
    epoch          integer NOT NULL,
    number         bigint NOT NULL,
    room_id        text NOT NULL,
    viewer_id      text NOT NULL,
    coins          bigint NOT NULL CHECK (coins > 0),
    impressions    bigint NOT NULL CHECK (impressions > 0),
    delivered      bigint NOT NULL DEFAULT 0,
    at_us          bigint NOT NULL,
    closed_at      timestamptz,
    returned_coins bigint NOT NULL DEFAULT 0 CHECK (returned_coins >= 0),
    PRIMARY KEY (shard, epoch, number),
    CONSTRAINT delivered_is_paid CHECK (delivered BETWEEN 0 AND impressions)
);
CREATE INDEX placements_open ON placements (room_id) WHERE closed_at IS NULL;
CREATE INDEX placements_by_room ON placements (room_id, at_us DESC);

CREATE TABLE placement_holds (
    shard       smallint NOT NULL,
    epoch       integer NOT NULL,
    number      bigint NOT NULL,
    gateway     text NOT NULL,
    impressions bigint NOT NULL CHECK (impressions >= 0),
    until       timestamptz NOT NULL,
    PRIMARY KEY (shard, epoch, number, gateway),
    FOREIGN KEY (shard, epoch, number) REFERENCES placements
);

-- How users look to others, for a time. The same item bought again goes on where it would have ended.
CREATE TABLE upgrades (
    shard     smallint NOT NULL,
    epoch     integer NOT NULL,
    number    bigint NOT NULL,
    viewer_id text NOT NULL,
    item_id   text NOT NULL,
    slot      text NOT NULL CHECK (slot IN ('frame', 'badge', 'entrance')),
    look      text NOT NULL,
    at_us     bigint NOT NULL,
    until_us  bigint NOT NULL CHECK (until_us > at_us),
    PRIMARY KEY (shard, epoch, number)
);
CREATE INDEX upgrades_by_viewer ON upgrades (viewer_id, until_us);
