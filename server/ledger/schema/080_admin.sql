-- What admins do: every step on record for ever, and money only with a second person.

CREATE TABLE admin_log (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    admin   text NOT NULL,
    action  text NOT NULL,
    subject text NOT NULL,
    detail  jsonb NOT NULL DEFAULT '{}',
    at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX admin_log_by_subject ON admin_log (subject, id DESC);
CREATE TRIGGER admin_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON admin_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A correction of somebody's coins: asked for by one admin, decided by another, and booked as a credit.
CREATE TABLE adjustments (
    id           text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    user_id      text NOT NULL REFERENCES users,
    coins        bigint NOT NULL CHECK (coins <> 0 AND abs(coins) <= 1000000000),
    reason       text NOT NULL CHECK (length(reason) > 0),
    state        text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'approved', 'rejected')),
    proposed_by  text NOT NULL,
    proposed_at  timestamptz NOT NULL DEFAULT now(),
    decided_by   text,
    decided_at   timestamptz,
    CHECK ((state = 'proposed') = (decided_by IS NULL)),
    CHECK ((state = 'proposed') = (decided_at IS NULL)),
    -- Whoever asks for it may take it back, and never approve it.
    CONSTRAINT second_person CHECK (state <> 'approved' OR decided_by <> proposed_by),
    -- An admin does not correct the own wallet, on either side.
    CONSTRAINT not_for_oneself CHECK (user_id <> proposed_by AND (state <> 'approved' OR user_id <> decided_by))
);
CREATE INDEX adjustments_open ON adjustments (proposed_at) WHERE state = 'proposed';
CREATE INDEX adjustments_by_user ON adjustments (user_id, proposed_at DESC);

-- Who may not use the service at all.
CREATE TABLE banned_users (
    user_id text PRIMARY KEY REFERENCES users,
    reason  text NOT NULL,
    by_id   text NOT NULL,
    at      timestamptz NOT NULL DEFAULT now()
);
