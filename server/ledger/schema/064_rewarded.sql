-- Rewarded ads and surveys: what somebody began, and what its provider reported.
CREATE TABLE rewarded_sessions (
    id         text PRIMARY KEY,
    user_id    text NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('ad', 'survey')),
    provider   text NOT NULL,
    coins      bigint NOT NULL CHECK (coins > 0),
    started_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX rewarded_sessions_by_age ON rewarded_sessions (started_at);

CREATE TABLE rewarded_reports (
    provider    text NOT NULL,
    transaction text NOT NULL,
    session_id  text NOT NULL,
    user_id     text NOT NULL,
    kind        text NOT NULL,
    outcome     text NOT NULL CHECK (outcome IN ('rewarded', 'capped', 'expired', 'repeated', 'blocked', 'not_completed')),
    coins       bigint NOT NULL CHECK (coins >= 0),
    at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (provider, transaction),
    CHECK ((outcome = 'rewarded') = (coins > 0))
);
CREATE UNIQUE INDEX rewarded_once_a_session ON rewarded_reports (session_id) WHERE outcome = 'rewarded';
CREATE INDEX rewarded_by_day ON rewarded_reports (user_id, kind, at) WHERE outcome = 'rewarded';

CREATE TABLE rewarded_nonces (
    provider text NOT NULL,
    nonce    text NOT NULL,
    at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (provider, nonce)
);
CREATE INDEX rewarded_nonces_by_age ON rewarded_nonces (at);
