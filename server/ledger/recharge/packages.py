"""Packages in Postgres: what can be bought, and every price that something was ever bought at."""

from collections.abc import Iterable
from dataclasses import replace

from asyncpg import Record

from server.domain.packages import EVERYWHERE, Package
from server.stores.postgres import Connection, Pool

_COLUMNS = "package_id, version, platform, region, currency, coins, amount, coins_min, coins_max, active"


async def offered(conn: "Connection | Pool", platform: str, region: str) -> list[Package]:
    """What is sold on a platform: of this region if it has packages of its own, else everywhere's; custom amounts last.

    region: ISO 3166-1 alpha-2.
    """
    rows = await conn.fetch(
        f"""
        WITH newest AS (
            SELECT DISTINCT ON (package_id) {_COLUMNS} FROM packages WHERE platform = $1
            ORDER BY package_id, version DESC
        )
        SELECT * FROM newest
        WHERE active AND region = CASE WHEN EXISTS (SELECT FROM newest WHERE active AND region = $2) THEN $2 ELSE $3 END
        ORDER BY coins_min IS NOT NULL, coins, package_id
        """,  # noqa: S608 - columns of our own
        platform,
        region,
        EVERYWHERE,
    )
    return [_read(row) for row in rows]


async def newest(conn: Connection, package_id: str) -> Package | None:
    """The newest version of a package, also a retired one."""
    row = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM packages WHERE package_id = $1 ORDER BY version DESC LIMIT 1",  # noqa: S608
        package_id,
    )
    return None if row is None else _read(row)


async def versions(conn: Connection, package_id: str | None, limit: int) -> list[Package]:
    """All versions of a package, newest first; or the newest of each, on sale or not, by platform and coins."""
    rows = await conn.fetch(
        f"""
        SELECT {_COLUMNS} FROM packages AS held
        WHERE CASE WHEN $1::text IS NULL
            THEN version = (SELECT max(version) FROM packages WHERE package_id = held.package_id)
            ELSE package_id = $1 END
        ORDER BY CASE WHEN $1 IS NOT NULL THEN version END DESC,
            platform, region, coins_min IS NOT NULL, coins, package_id LIMIT $2
        """,  # noqa: S608 - columns of our own
        package_id,
        limit,
    )
    return [_read(row) for row in rows]


async def plant(conn: Connection, seed: Iterable[Package]) -> None:
    """Brings the packages up to a seed. Call in a transaction, under the migration's lock.

    What the seed changed becomes a new version. A package that is gone from the seed stays, and so does whatever an
    operator changed by hand.
    """
    versions: dict[str, int] = {
        row["package_id"]: row["version"]
        for row in await conn.fetch("SELECT package_id, max(version) AS version FROM packages GROUP BY package_id")
    }
    rows = await conn.fetch(
        f"SELECT DISTINCT ON (package_id) {_COLUMNS} FROM packages WHERE seeded ORDER BY package_id, version DESC"  # noqa: S608
    )
    seeded = {row["package_id"]: _read(row) for row in rows}
    for package in seed:
        before = seeded.get(package.id)
        if before is None or replace(before, version=1, active=True) != replace(package, version=1, active=True):
            active = package.active if before is None else before.active
            await add(conn, replace(package, version=versions.get(package.id, 0) + 1, active=active), seeded=True)


async def add(conn: Connection, package: Package, *, seeded: bool = False) -> None:
    """Adds a version of a package. Raises asyncpg.UniqueViolationError when it is there already."""
    await conn.execute(
        f"INSERT INTO packages ({_COLUMNS}, seeded) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",  # noqa: S608
        package.id,
        package.version,
        package.platform,
        package.region,
        package.currency,
        package.coins,
        package.amount,
        package.coins_min,
        package.coins_max,
        package.active,
        seeded,
    )


def _read(row: Record) -> Package:
    return Package(
        id=row["package_id"],
        version=row["version"],
        platform=row["platform"],
        region=row["region"],
        currency=row["currency"],
        coins=row["coins"],
        amount=row["amount"],
        coins_min=row["coins_min"],
        coins_max=row["coins_max"],
        active=row["active"],
    )
