-- Who keeps order in a room, and who may not take part. One row says one thing about one user in one place.
CREATE TABLE moderation (
    kind     text NOT NULL CHECK (kind IN ('moderator', 'mute', 'ban', 'block')),
    -- The room; for a block, which holds in all of a creator's rooms, the creator.
    place_id text NOT NULL CHECK (length(place_id) BETWEEN 1 AND 64),
    user_id  text NOT NULL CHECK (length(user_id) BETWEEN 1 AND 64),
    until    timestamptz,
    by_id    text NOT NULL,
    at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, place_id, user_id),
    CHECK ((kind = 'mute') = (until IS NOT NULL))
);
