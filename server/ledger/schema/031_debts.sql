-- A wallet from which coins were taken back may be below zero: those coins may be spent already, also in gifts that are accepted and
-- not settled yet. How far below is known exactly, whatever comes first: never by more than was taken back.
ALTER TABLE accounts ADD COLUMN taken_back bigint NOT NULL DEFAULT 0 CHECK (taken_back >= 0);
ALTER TABLE accounts
    DROP CONSTRAINT balance_not_negative,
    DROP CONSTRAINT debt_is_a_wallet,
    DROP COLUMN in_debt,
    ADD CONSTRAINT balance_not_negative CHECK (
        balance >= -taken_back
        OR kind IN ('coins_purchased', 'coins_promotional', 'coins_corrected', 'diamonds_issued')
    ),
    ADD CONSTRAINT taken_back_from_a_wallet CHECK (taken_back = 0 OR kind = 'wallet');

-- A refund takes back what was bought, a forfeit what was given along with it.
ALTER TABLE credits DROP CONSTRAINT credits_kind_check, DROP CONSTRAINT credits_sign;
ALTER TABLE credits
    ADD CONSTRAINT credits_kind_check
        CHECK (kind IN ('purchase', 'promotion', 'correction', 'return', 'refund', 'forfeit')),
    ADD CONSTRAINT credits_sign CHECK (CASE kind
        WHEN 'refund' THEN coins < 0
        WHEN 'forfeit' THEN coins < 0
        WHEN 'correction' THEN true
        ELSE coins > 0
    END);
