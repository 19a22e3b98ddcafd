-- Who invited whom. The invited one enters a code before the first purchase, and both are rewarded after it.
CREATE TABLE referral_codes (
    code    text PRIMARY KEY CHECK (code ~ '^[A-Z0-9]{8}$'),
    user_id text NOT NULL UNIQUE,
    at      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE referrals (
    invited_id     text PRIMARY KEY,
    inviter_id     text NOT NULL CHECK (inviter_id <> invited_id),
    entered_at     timestamptz NOT NULL DEFAULT now(),
    purchase_id    text,
    qualified_at   timestamptz,
    -- `due` once qualified; an inviter past the cap is not rewarded.
    invited_reward text CHECK (invited_reward IN ('due', 'given')),
    inviter_reward text CHECK (inviter_reward IN ('due', 'given', 'capped')),
    CHECK (num_nulls(purchase_id, qualified_at, invited_reward, inviter_reward) IN (0, 4))
);
CREATE INDEX referrals_by_inviter ON referrals (inviter_id, qualified_at);
CREATE INDEX referrals_due ON referrals (qualified_at) WHERE invited_reward = 'due' OR inviter_reward = 'due';
