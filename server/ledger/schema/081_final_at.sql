-- From when on a claim that stands takes the diamonds of its coins: at once when a dispute was lost, after a while when money was
-- refunded. It is the claim's own date, so that none of another claim's stays behind when that one's money returns.
ALTER TABLE claims ADD COLUMN final_at timestamptz;
UPDATE claims SET final_at = coalesce(
    (SELECT reverse_at FROM recoveries WHERE recoveries.purchase_id = claims.purchase_id), decided_at
) WHERE state = 'stands';
ALTER TABLE claims ADD CONSTRAINT final_if_it_stands CHECK ((state = 'stands') = (final_at IS NOT NULL));
ALTER TABLE recoveries DROP COLUMN reverse_at;
