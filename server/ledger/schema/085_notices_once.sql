-- What a user is told only once: a budget that is nearly spent is named by every answer to the same request. once: what it is, null
-- for notices that may come again. It is remembered as long as the notice is.
ALTER TABLE notices ADD COLUMN once text;
CREATE UNIQUE INDEX notices_once ON notices (user_id, once) WHERE once IS NOT NULL;
