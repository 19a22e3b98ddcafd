-- Looking after people: where they signed in, what they reported, what looks like fraud, and who may not buy.

-- One row for each place that a user came from, and for how long. address: its first 16 hexadecimal digits of a keyed digest,
-- so that two accounts of one place can be told, and nobody's address is kept.
CREATE TABLE logins (
    user_id  text NOT NULL,
    address  text NOT NULL,
    agent    text NOT NULL,
    first_at timestamptz NOT NULL DEFAULT now(),
    last_at  timestamptz NOT NULL DEFAULT now(),
    times    bigint NOT NULL DEFAULT 1 CHECK (times > 0),
    PRIMARY KEY (user_id, address, agent)
);
CREATE INDEX logins_by_address ON logins (address, user_id);
CREATE INDEX logins_by_user ON logins (user_id, last_at DESC);

CREATE TABLE reports (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reporter_id  text NOT NULL,
    subject_kind text NOT NULL CHECK (subject_kind IN ('user', 'room', 'chat', 'gift', 'purchase')),
    subject_id   text NOT NULL CHECK (length(subject_id) BETWEEN 1 AND 255),
    reason       text NOT NULL CHECK (reason IN ('abuse', 'fraud', 'minor', 'spam', 'self_harm', 'other')),
    words        text NOT NULL,
    at           timestamptz NOT NULL DEFAULT now(),
    closed_at    timestamptz,
    closed_by    text,
    outcome      text,
    CHECK (num_nulls(closed_at, closed_by, outcome) IN (0, 3))
);
CREATE INDEX reports_open ON reports (id) WHERE closed_at IS NULL;
CREATE INDEX reports_by_reporter ON reports (reporter_id, at DESC);

-- Patterns that a person should look at. One for each pattern, user and day.
CREATE TABLE review_flags (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pattern   text NOT NULL,
    user_id   text NOT NULL,
    day       date NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')::date,
    detail    jsonb NOT NULL,
    at        timestamptz NOT NULL DEFAULT now(),
    closed_at timestamptz,
    closed_by text,
    outcome   text,
    UNIQUE (pattern, user_id, day),
    CHECK (num_nulls(closed_at, closed_by, outcome) IN (0, 3))
);
CREATE INDEX review_flags_open ON review_flags (id) WHERE closed_at IS NULL;

-- A block on purchases that a parent put on, and that only who knows the PIN lifts.
CREATE TABLE purchase_blocks (
    user_id      text PRIMARY KEY,
    salt         bytea NOT NULL,
    digest       bytea NOT NULL,
    wrong        integer NOT NULL DEFAULT 0,
    locked_until timestamptz,
    at           timestamptz NOT NULL DEFAULT now()
);
