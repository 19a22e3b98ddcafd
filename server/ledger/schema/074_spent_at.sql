-- When coins were spent, for the budgets of that time: of coins that come back, which do not count there any more (null for
-- all that is no return, and for returns that were booked before this file), and of gifts in quarantine, which do (null
-- where the record does not say, and in rows that are older).
ALTER TABLE credits ADD COLUMN spent_at_us bigint CHECK (spent_at_us IS NULL OR kind = 'return');
CREATE INDEX credits_returned ON credits (user_id, spent_at_us) WHERE spent_at_us IS NOT NULL;
ALTER TABLE quarantine ADD COLUMN at_us bigint;
