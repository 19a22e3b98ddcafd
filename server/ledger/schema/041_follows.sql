-- Who follows whom, and how many follow each creator: counted as they come and go, since nobody counts a million rows for a page.

CREATE TABLE follows (
    creator_id  text NOT NULL REFERENCES users,
    follower_id text NOT NULL REFERENCES users,
    at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (creator_id, follower_id),
    CHECK (creator_id <> follower_id)
);
CREATE INDEX follows_by_follower ON follows (follower_id, at DESC, creator_id);

CREATE TABLE followed (
    creator_id text PRIMARY KEY REFERENCES users,
    followers  bigint NOT NULL CHECK (followers >= 0)
);
