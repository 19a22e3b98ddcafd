-- Who gave and who earned most, and how much everybody ever spent. Filled behind settlement's cursor together with what
-- creators earned (server/ledger/creators/rollup.py), each gift once. Tickets and placements are left out: they may be returned.

CREATE TABLE board_totals (
    board   text NOT NULL CHECK (board IN ('creators', 'gifters')),
    period  text NOT NULL CHECK (period IN ('day', 'week', 'month')),
    -- The first day of the period, UTC; weeks begin on Mondays.
    starts  date NOT NULL,
    user_id text NOT NULL,
    -- Diamonds of creators, coins of gifters.
    amount  bigint NOT NULL CHECK (amount > 0),
    PRIMARY KEY (board, period, starts, user_id)
) WITH (fillfactor = 70);
CREATE INDEX boards_by_amount ON board_totals (board, period, starts, amount DESC, user_id);

CREATE TABLE gifters (
    viewer_id text PRIMARY KEY,
    coins     bigint NOT NULL CHECK (coins > 0),
    level     smallint NOT NULL CHECK (level BETWEEN 1 AND 50)
) WITH (fillfactor = 70);

-- What was added up before there were boards.
INSERT INTO board_totals (board, period, starts, user_id, amount)
SELECT board, period, starts, user_id, sum(amount) FROM gifts
JOIN catalogue USING (gift_id, version) JOIN earning_marks AS mark USING (shard),
LATERAL (VALUES ('creators', creator_id, gifts.diamonds), ('gifters', viewer_id, gifts.coins)) AS got (board, user_id, amount),
LATERAL (SELECT to_timestamp(gifts.at_us / 1000000) AT TIME ZONE 'UTC' AS at) AS moment,
LATERAL (VALUES ('day', at::date), ('week', date_trunc('week', at)::date), ('month', date_trunc('month', at)::date))
    AS span (period, starts)
WHERE (gifts.epoch, gifts.number) <= (mark.epoch, mark.number) AND room_id <> '' AND kind <> 'ticket' AND amount > 0
GROUP BY 1, 2, 3, 4;

INSERT INTO gifters (viewer_id, coins, level)
SELECT viewer_id, sum(gifts.coins),
       CASE WHEN sum(gifts.coins) < 10 THEN 1 ELSE least(50, 2 + floor(8 * log(sum(gifts.coins) / 10.0))) END
FROM gifts JOIN catalogue USING (gift_id, version) JOIN earning_marks AS mark USING (shard)
WHERE (gifts.epoch, gifts.number) <= (mark.epoch, mark.number) AND kind NOT IN ('ticket', 'promote')
GROUP BY viewer_id;
