-- When viewers were last counted into the ranks of rooms: whoever moves it does the counting, of all workers one at a time.
CREATE TABLE rank_samples (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    at       timestamptz NOT NULL DEFAULT now()
);
INSERT INTO rank_samples DEFAULT VALUES;

-- How many impressions a gateway has told of so far, all together: told again after a lost answer, they count once.
ALTER TABLE placement_holds ADD COLUMN told bigint NOT NULL DEFAULT 0 CHECK (told >= 0);

-- Rooms that are live, one after the other, however many have ended.
CREATE INDEX rooms_live ON rooms (id) WHERE state = 'live';
