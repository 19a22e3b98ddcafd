-- A room ends here first and in Redis second: until Redis was seen to have it, the worker tells it again.
ALTER TABLE rooms ADD COLUMN end_told boolean NOT NULL DEFAULT true;
CREATE INDEX rooms_end_untold ON rooms (ended_at) WHERE NOT end_told;
