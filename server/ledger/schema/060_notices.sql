-- Notices: which are unread, and those that are for everybody.

-- For everybody: one row, whose user_id is `*`; regions: whom it is for, null for all.
ALTER TABLE notices ADD COLUMN regions text[];
ALTER TABLE notices ADD CONSTRAINT regions_are_for_everybody CHECK (regions IS NULL OR user_id = '*');

CREATE INDEX notices_unread ON notices (user_id, id) WHERE read_at IS NULL;

-- How far a user has read of what is for everybody.
CREATE TABLE announcements_read (
    user_id text PRIMARY KEY,
    up_to   bigint NOT NULL
);
