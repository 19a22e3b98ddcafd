-- What viewers allow themselves to spend. Null limits: as many coins as there are. A change counts its version up and is
-- told to the viewer's wallet in Redis; told: the version that the wallet is known to have.
CREATE TABLE controls (
    user_id        text PRIMARY KEY REFERENCES users (id),
    version        bigint NOT NULL DEFAULT 1 CHECK (version > 0),
    told           bigint NOT NULL DEFAULT 0,
    day_limit      bigint CHECK (day_limit >= 0),
    week_limit     bigint CHECK (week_limit >= 0),
    month_limit    bigint CHECK (month_limit >= 0),
    excluded_until timestamptz,
    changed_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX controls_untold ON controls (changed_at) WHERE told < version;

-- Limits that were raised or lifted, and count from effective_at on. One for each viewer and period: a later wish takes the place
-- of an earlier one.
CREATE TABLE control_raises (
    user_id      text NOT NULL REFERENCES controls (user_id),
    period       text NOT NULL CHECK (period IN ('day', 'week', 'month')),
    coins        bigint CHECK (coins >= 0),
    effective_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, period)
);
CREATE INDEX control_raises_due ON control_raises (effective_at);
