"""Brings the schema up to date: numbered SQL files in order, then the rows that every installation has.

A file that was applied is recorded with its checksum and never changes again; a later change is a new file.
"""

import hashlib
from dataclasses import dataclass
from importlib.resources import files

from server.domain.catalogue import seed, seed_items
from server.domain.ids import shard_label
from server.domain.packages import seed as packages_seed
from server.ledger import catalogue, partitions
from server.ledger.accounts import PLATFORM_KINDS
from server.ledger.recharge import packages
from server.stores.postgres import Connection, connect_once

POSTGRES_VERSION_MIN = 15
_LOCK = 0x67696674
"""Advisory lock ("gift"): processes that start together migrate one after the other."""


class MigrationError(Exception):
    """This database and this release do not fit; the message is one line for the operator."""


@dataclass(frozen=True, slots=True)
class SchemaFile:
    """One step of the schema. version: the number its name starts with."""

    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def schema_files() -> list[SchemaFile]:
    """All steps that this release knows, in order."""
    folder = files("server.ledger").joinpath("schema")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [SchemaFile(int(name[:3]), name, folder.joinpath(name).read_text("utf-8")) for name in names]


async def migrate(database_url: str, *, wallet_shards: int, steps: list[SchemaFile] | None = None) -> list[str]:
    """Applies what is missing and answers the names of the files applied; safe to call at every start.

    Raises MigrationError when an applied file was changed since, when the database is newer than this release or
    older than POSTGRES_VERSION_MIN, and when it was set up for another number of wallet shards; else as `connect` does.
    """
    conn = await connect_once(database_url)
    try:
        if conn.get_server_version().major < POSTGRES_VERSION_MIN:
            raise MigrationError(
                f"Postgres {POSTGRES_VERSION_MIN} or newer is needed, this is {conn.get_server_version().major}"
            )
        await conn.execute("SELECT pg_advisory_lock($1)", _LOCK)
        applied = await _apply(conn, schema_files() if steps is None else steps)
        async with conn.transaction():
            await _install(conn, wallet_shards)
            await catalogue.plant(conn, [*seed(), *seed_items()])
            await packages.plant(conn, packages_seed())
        await partitions.make_ahead(conn)
        return applied
    finally:
        await conn.close()  # also gives the lock back


async def _apply(conn: Connection, steps: list[SchemaFile]) -> list[str]:
    await conn.execute(
        """
        CREATE TABLE IF NOT EXISTS schema_files (
            version    integer PRIMARY KEY,
            name       text NOT NULL,
            checksum   text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now()
        )
        """
    )
    known = {row["version"]: row for row in await conn.fetch("SELECT version, name, checksum FROM schema_files")}
    newest = max((step.version for step in steps), default=0)
    if known and max(known) > newest:
        raise MigrationError(
            f"the database has schema {max(known):03d}, this release knows {newest:03d}: start a newer release"
        )
    applied = []
    for step in steps:
        row = known.get(step.version)
        if row is None:
            async with conn.transaction():
                await conn.execute(step.sql)
                await conn.execute(
                    "INSERT INTO schema_files (version, name, checksum) VALUES ($1, $2, $3)",
                    step.version,
                    step.name,
                    step.checksum,
                )
            applied.append(step.name)
        elif row["checksum"] != step.checksum:
            raise MigrationError(
                f"schema file {step.name} was changed after it was applied to this database; "
                "put it back and add a new file"
            )
    return applied


async def _install(conn: Connection, wallet_shards: int) -> None:
    """The installation row, and for each shard its cursor and its platform accounts."""
    await conn.execute("INSERT INTO installation (wallet_shards) VALUES ($1) ON CONFLICT DO NOTHING", wallet_shards)
    installed = await conn.fetchval("SELECT wallet_shards FROM installation")
    if installed != wallet_shards:
        raise MigrationError(
            f"GIFTSTREAM_WALLET_SHARDS is {wallet_shards}, but this database was set up with {installed}, for ever"
        )
    await conn.execute(
        "INSERT INTO shards (shard) SELECT generate_series(0, $1 - 1) ON CONFLICT DO NOTHING", wallet_shards
    )
    await conn.execute(
        """
        INSERT INTO accounts (owner, kind, currency)
        SELECT owner, kind, currency::currency
        FROM unnest($1::text[]) AS owner, unnest($2::text[], $3::text[]) AS account (kind, currency)
        ON CONFLICT DO NOTHING
        """,
        [f"platform/{shard_label(shard)}" for shard in range(wallet_shards)],
        list(PLATFORM_KINDS),
        list(PLATFORM_KINDS.values()),
    )
