-- The opening of a shard after which every loaded wallet was compared with the ledger. Until then a Redis that came back a little
-- older may lack what it is known to have had.
ALTER TABLE shards ADD COLUMN compared text NOT NULL DEFAULT '';
