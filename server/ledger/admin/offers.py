"""New versions of what is sold: items of the catalogue, and packages of coins. What was sold before keeps its price."""

from dataclasses import replace

import asyncpg
import orjson

from server.domain.catalogue import CatalogueGift, ItemKind
from server.domain.errors import Code, Refusal
from server.domain.packages import Package
from server.ledger.admin.record import record
from server.ledger.recharge import packages
from server.stores.postgres import Connection

_COLUMNS = "gift_id, version, name, coins, diamonds, tier, streakable, effect, active, kind"


async def item_versions(conn: Connection, item_id: str | None, limit: int) -> list[CatalogueGift]:
    """Versions of one item, newest first; or the newest of all."""
    rows = await conn.fetch(
        f"""
        SELECT {_COLUMNS} FROM catalogue AS held
        WHERE CASE WHEN $1::text IS NULL
            THEN version = (SELECT max(version) FROM catalogue WHERE gift_id = held.gift_id) ELSE gift_id = $1 END
        ORDER BY gift_id, version DESC LIMIT $2
        """,  # noqa: S608 - columns of our own
        item_id,
        limit,
    )
    return [
        CatalogueGift(
            id=row["gift_id"],
            version=row["version"],
            name=row["name"],
            coins=row["coins"],
            diamonds=row["diamonds"],
            tier=row["tier"],
            streakable=row["streakable"],
            effect=orjson.loads(row["effect"]),
            active=row["active"],
            kind=ItemKind(row["kind"]),
        )
        for row in rows
    ]


async def add_item(conn: Connection, admin: str, item: CatalogueGift, *, preview: bool) -> CatalogueGift:
    """The next version of an item, or a new item; with `preview` what it would be, and nothing is written.

    Raises Refusal: conflict for another kind than the versions before, or when another admin was faster.
    """
    before = await item_versions(conn, item.id, 1)
    if before and before[0].kind is not item.kind:
        raise Refusal(Code.CONFLICT, f"{item.id} is a {before[0].kind}, and stays one.")
    made = replace(item, version=before[0].version + 1 if before else 1)
    if preview:
        return made
    try:
        await conn.execute(
            f"INSERT INTO catalogue ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",  # noqa: S608
            made.id,
            made.version,
            made.name,
            made.coins,
            made.diamonds,
            made.tier,
            made.streakable,
            orjson.dumps(dict(made.effect)).decode(),
            made.active,
            made.kind.value,
        )
    except asyncpg.UniqueViolationError:
        raise Refusal(Code.CONFLICT, "Another version was added meanwhile.") from None
    detail = {"version": made.version, "coins": made.coins, "diamonds": made.diamonds, "active": made.active}
    await record(conn, admin, "item_version_added", made.id, detail)
    return made


async def add_package(conn: Connection, admin: str, package: Package, *, preview: bool) -> Package:
    """The next version of a package, or a new one; with `preview` what it would be, and nothing is written.

    Raises Refusal: conflict for another platform than the versions before, or when another admin was faster.
    """
    before = await packages.newest(conn, package.id)
    if before is not None and before.platform != package.platform:
        raise Refusal(Code.CONFLICT, f"{package.id} is sold on {before.platform}, and stays there.")
    made = replace(package, version=before.version + 1 if before else 1)
    if preview:
        return made
    try:
        await packages.add(conn, made)
    except asyncpg.UniqueViolationError:
        raise Refusal(Code.CONFLICT, "Another version was added meanwhile.") from None
    detail = {"version": made.version, "coins": made.coins, "amount": made.amount, "currency": made.currency}
    await record(conn, admin, "package_version_added", made.id, {**detail, "active": made.active})
    return made
