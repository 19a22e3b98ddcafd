-- Which data in Redis the ledger goes on with. Each opening of a wallet shard on a server process has a token, kept in both stores
-- (server/wallet/opening.py). Settlement follows the opening that is confirmed here, and no other server that once was the one.
ALTER TABLE shards
    ADD COLUMN opening text NOT NULL DEFAULT '',
    -- Tokens that were about to be written to Redis when they were noted here; whichever is found there is confirmed.
    ADD COLUMN announced text[] NOT NULL DEFAULT '{}';
