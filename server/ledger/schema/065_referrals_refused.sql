-- A referral of one person with two accounts may come to light after the code was entered.
ALTER TABLE referrals
    DROP CONSTRAINT referrals_invited_reward_check,
    DROP CONSTRAINT referrals_inviter_reward_check,
    ADD CONSTRAINT referrals_invited_reward_check CHECK (invited_reward IN ('due', 'given', 'refused')),
    ADD CONSTRAINT referrals_inviter_reward_check CHECK (inviter_reward IN ('due', 'given', 'refused', 'capped'));
