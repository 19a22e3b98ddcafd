-- Step-up confirmation: a code of an authenticator app (RFC 6238) before money leaves.

CREATE TABLE step_up (
    user_id      text PRIMARY KEY REFERENCES users,
    secret       bytea NOT NULL,                      -- sealed (server/economy/sealing.py)
    enrolled_at  timestamptz,                         -- null until a first code was right
    used_step    bigint NOT NULL DEFAULT 0,           -- the newest time step whose code was taken: none is taken twice
    wrong        integer NOT NULL DEFAULT 0 CHECK (wrong >= 0),  -- wrong codes since the last right one
    locked_until timestamptz,
    made_at      timestamptz NOT NULL DEFAULT now()
);

-- Each is good once. Only their digests are kept; the codes themselves were shown once.
CREATE TABLE recovery_codes (
    user_id text NOT NULL REFERENCES step_up ON DELETE CASCADE,
    digest  bytea NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (user_id, digest)
);

-- What a right code is given in exchange for: taken once, by the transaction that does what was confirmed.
CREATE TABLE confirmations (
    digest     bytea PRIMARY KEY,
    user_id    text NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX confirmations_by_age ON confirmations (expires_at);
