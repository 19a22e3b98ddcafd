"""Whether this database is the one that a process expects: its schema, and its number of wallet shards."""

import asyncpg

from server.ledger.migrate import MigrationError, schema_files
from server.stores.postgres import Pool


async def check_installation(pool: Pool, wallet_shards: int) -> None:
    """Raises MigrationError, one line for the operator, when the schema is missing or does not fit this process."""
    try:
        version: int = await pool.fetchval("SELECT max(version) FROM schema_files") or 0
        installed = await pool.fetchval("SELECT wallet_shards FROM installation")
    except asyncpg.UndefinedTableError:
        version, installed = 0, None
    wanted = schema_files()[-1].version
    if version < wanted or installed is None:
        raise MigrationError(f"the database has schema {version:03d}, {wanted:03d} is needed: run `giftstream migrate`")
    if installed != wallet_shards:
        raise MigrationError(
            f"GIFTSTREAM_WALLET_SHARDS is {wallet_shards}, but this database was set up with {installed}, for ever"
        )
