-- Which room of a creator is live, for whoever follows many: without reading all that have ended.
CREATE INDEX rooms_live_by_creator ON rooms (creator_id, started_at DESC) WHERE state = 'live';
