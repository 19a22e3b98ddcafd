-- What was taken from a room's screen by those who keep order there; it stays paid. Noted at once, settled or not.
CREATE TABLE taken_down (
    room_id text NOT NULL,
    gift_id text NOT NULL,
    by_id   text NOT NULL,
    at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (room_id, gift_id)
);
ALTER TABLE shown DROP COLUMN taken_down;
