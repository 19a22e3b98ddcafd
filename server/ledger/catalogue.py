"""The catalogue in Postgres: what can be bought, and every price that it was ever bought at."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson

from server.domain.catalogue import Catalogue, CatalogueGift, ItemKind
from server.stores.postgres import Connection, Pool

_COLUMNS = "gift_id, version, name, coins, diamonds, tier, streakable, effect, active, kind"


class Price(NamedTuple):
    """What a piece of one version costs and earns. effect: what an item does; gifts need none here."""

    coins: int
    diamonds: int
    kind: ItemKind = ItemKind.GIFT
    effect: Mapping[str, Any] = MappingProxyType({})


async def load(pool: Pool) -> Catalogue:
    """What is offered."""
    return Catalogue(await newest(pool))


async def newest(pool: Pool) -> list[CatalogueGift]:
    """The newest version of every gift and item."""
    rows = await pool.fetch(f"SELECT DISTINCT ON (gift_id) {_COLUMNS} FROM catalogue ORDER BY gift_id, version DESC")  # noqa: S608
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


async def prices(conn: Connection) -> dict[tuple[str, int], Price]:
    """What a piece cost and earned, for every (gift id, version) that there ever was."""
    rows = await conn.fetch(
        "SELECT gift_id, version, coins, diamonds, kind, CASE kind WHEN 'gift' THEN '{}' ELSE effect END AS effect"
        " FROM catalogue"
    )
    return {
        (row["gift_id"], row["version"]): Price(
            row["coins"], row["diamonds"], ItemKind(row["kind"]), orjson.loads(row["effect"])
        )
        for row in rows
    }


async def plant(conn: Connection, seed: Iterable[CatalogueGift]) -> None:
    """Brings the catalogue up to a seed. Call in a transaction, under the migration's lock.

    A price that the seed changed becomes a new version, as does what an item that is no gift does; other changes (name,
    look, tier) change the seeded version in place. A gift that is gone from the seed stays, and so does whatever an
    operator changed by hand.
    """
    newest: dict[str, int] = {
        row["gift_id"]: row["version"]
        for row in await conn.fetch("SELECT gift_id, max(version) AS version FROM catalogue GROUP BY gift_id")
    }
    seeded = {
        row["gift_id"]: row
        for row in await conn.fetch(
            "SELECT DISTINCT ON (gift_id) gift_id, version, coins, diamonds, effect, active FROM catalogue WHERE seeded"
            " ORDER BY gift_id, version DESC"
        )
    }
    for gift in seed:
        before = seeded.get(gift.id)
        if (
            before is None
            or (before["coins"], before["diamonds"]) != (gift.coins, gift.diamonds)
            or (gift.kind is not ItemKind.GIFT and orjson.loads(before["effect"]) != gift.effect)
        ):
            active = gift.active if before is None else before["active"]
            await _add(conn, replace(gift, version=newest.get(gift.id, 0) + 1, active=active))
        else:
            await conn.execute(
                """
                UPDATE catalogue SET name = $3, tier = $4, streakable = $5, effect = $6
                WHERE gift_id = $1 AND version = $2
                  AND (name, tier, streakable, effect) IS DISTINCT FROM ($3, $4, $5, $6::jsonb)
                """,
                gift.id,
                before["version"],
                gift.name,
                gift.tier,
                gift.streakable,
                orjson.dumps(gift.effect).decode(),
            )


async def _add(conn: Connection, gift: CatalogueGift) -> None:
    await conn.execute(
        f"INSERT INTO catalogue ({_COLUMNS}, seeded) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, true)",  # noqa: S608
        gift.id,
        gift.version,
        gift.name,
        gift.coins,
        gift.diamonds,
        gift.tier,
        gift.streakable,
        orjson.dumps(gift.effect).decode(),
        gift.active,
        gift.kind,
    )
