"""One Postgres transaction for each gift: debit, credit and the gift's row, in one statement and one round trip."""

from __future__ import annotations

import os

import asyncpg

from loadtests.baselines.prices import PRICES
from loadtests.baselines.store import Paid

CONNECTIONS_MAX = 16

SCHEMA = """
    CREATE TABLE IF NOT EXISTS wallets (viewer text PRIMARY KEY, coins bigint NOT NULL CHECK (coins >= 0));
    CREATE TABLE IF NOT EXISTS earnings (room text PRIMARY KEY, diamonds bigint NOT NULL);
    CREATE TABLE IF NOT EXISTS gifts (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        viewer text NOT NULL, room text NOT NULL, gift text NOT NULL, count integer NOT NULL, coins bigint NOT NULL,
        request_id text NOT NULL, at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (viewer, request_id)
    );
"""

PAY = """
    WITH debit AS (
        UPDATE wallets SET coins = coins - $5 WHERE viewer = $1 AND coins >= $5 RETURNING coins
    ), kept AS (
        INSERT INTO gifts (viewer, room, gift, count, coins, request_id)
        SELECT $1, $2, $3, $4, $5, $6 FROM debit RETURNING id
    ), earned AS (
        INSERT INTO earnings (room, diamonds) SELECT $2, $5 FROM debit
        ON CONFLICT (room) DO UPDATE SET diamonds = earnings.diamonds + excluded.diamonds
    )
    SELECT kept.id, debit.coins FROM debit, kept
"""


class PostgresPerGift:
    """On disk when acknowledged, like ours."""

    async def start(self) -> None:
        self._pool = await asyncpg.create_pool(os.environ["BASELINE_DATABASE_URL"], max_size=CONNECTIONS_MAX)
        await self._pool.execute(SCHEMA)

    async def pay(self, viewer: str, room: str, gift: str, count: int, request_id: str) -> Paid | None:
        cost = PRICES[gift] * count
        row = await self._pool.fetchrow(PAY, viewer, room, gift, count, cost, request_id)
        return None if row is None else Paid(row["id"], row["coins"])

    async def fund(self, viewers: list[str], coins: int) -> None:
        await self._pool.execute("INSERT INTO wallets SELECT unnest($1::text[]), $2", viewers, coins)

    async def settled(self) -> int:
        return int(await self._pool.fetchval("SELECT count(*) FROM gifts"))

    async def stop(self) -> None:
        await self._pool.close()
