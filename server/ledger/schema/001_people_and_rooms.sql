-- Who takes part and where, what can be given, and the one row that describes this installation.

CREATE TABLE installation (
    only_row      boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    wallet_shards smallint NOT NULL CHECK (wallet_shards BETWEEN 1 AND 9999),
    created_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE users (
    id            text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    name          text NOT NULL,
    blocked       boolean NOT NULL DEFAULT false,
    -- How many credits this user was ever given; also the number of the newest (see credits).
    credit_number bigint NOT NULL DEFAULT 0 CHECK (credit_number >= 0),
    created_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE rooms (
    id         text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    creator_id text NOT NULL REFERENCES users,
    title      text NOT NULL,
    state      text NOT NULL DEFAULT 'live' CHECK (state IN ('live', 'ended')),
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    -- Settled totals; gifts are counted in pieces (a gift of 10 roses is 10), as on the screen.
    coins      bigint NOT NULL DEFAULT 0 CHECK (coins >= 0),
    diamonds   bigint NOT NULL DEFAULT 0 CHECK (diamonds >= 0),
    gifts      bigint NOT NULL DEFAULT 0 CHECK (gifts >= 0),
    -- What the room earned lately, on a logarithmic scale that needs no refresh (server/ledger/rooms.py).
    rank       double precision NOT NULL,
    CHECK ((state = 'ended') = (ended_at IS NOT NULL))
) WITH (fillfactor = 50);

CREATE INDEX rooms_live_by_rank ON rooms (rank DESC, id) WHERE state = 'live';
CREATE INDEX rooms_by_creator ON rooms (creator_id, started_at DESC, id);

CREATE TABLE room_gifters (
    room_id   text NOT NULL,
    viewer_id text NOT NULL,
    coins     bigint NOT NULL CHECK (coins >= 0),
    gifts     bigint NOT NULL CHECK (gifts > 0),
    PRIMARY KEY (room_id, viewer_id)
) WITH (fillfactor = 80);

-- Prices never change in place: a new price is a new version, and a gift keeps the version that it was paid at.
CREATE TABLE catalogue (
    gift_id    text NOT NULL CHECK (length(gift_id) BETWEEN 1 AND 64),
    version    integer NOT NULL CHECK (version > 0),
    name       text NOT NULL,
    coins      bigint NOT NULL CHECK (coins > 0),
    diamonds   bigint NOT NULL CHECK (diamonds >= 0),
    tier       text NOT NULL,
    streakable boolean NOT NULL,
    effect     jsonb NOT NULL,
    active     boolean NOT NULL DEFAULT true,
    -- Came from server/domain/catalogue.json: later seeds are compared with this version, not with one an operator made.
    seeded     boolean NOT NULL DEFAULT false,
    valid_from timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (gift_id, version)
);
