"""Wallets as the ledger has them at one moment, for loading them into Redis."""

from collections.abc import Mapping
from dataclasses import dataclass

from asyncpg import Record

from server.domain.controls import Controls
from server.domain.ids import UserId
from server.ledger import controls
from server.stores.postgres import Pool


@dataclass(frozen=True, slots=True)
class WalletSnapshot:
    """A wallet and its shard's cursor at one moment.

    coins: the ledger's balance, less this viewer's gifts in quarantine. credit: number of the newest credit in it.
    controls: only where they were asked for, of a viewer who has some. Gifts past (epoch, number) are not in coins yet,
    nor in what the controls say is spent.
    """

    coins: int
    credit: int
    epoch: int
    number: int
    blocked: bool
    has_controls: bool = False
    controls: Controls | None = None


_COLUMNS = """
    asked.viewer,
    accounts.balance - coalesce(
        (SELECT sum(coins) FROM quarantine WHERE viewer_id = asked.viewer AND resolved_at IS NULL), 0
    )::bigint AS coins,
    users.credit_number, users.blocked, shards.epoch, shards.number
"""
_WALLETS = """
    FROM unnest($1::text[], $2::int[]) AS asked (viewer, shard)
    JOIN users ON users.id = asked.viewer
    JOIN accounts ON accounts.owner = asked.viewer AND accounts.kind = 'wallet'
    JOIN shards ON shards.shard = asked.shard
"""
_PLAIN = f"""
    SELECT {_COLUMNS}, EXISTS (SELECT FROM controls WHERE user_id = asked.viewer) AS has_controls {_WALLETS}
"""  # noqa: S608 - of our own constants
_WITH_CONTROLS = f"""
    SELECT {_COLUMNS}, true AS has_controls, {", ".join(controls.COLUMNS)} {_WALLETS} {controls.SPENT}
"""


async def snapshots(pool: Pool, viewers: Mapping[UserId, int]) -> dict[UserId, WalletSnapshot]:
    """The wallets of viewers (viewer → shard) that have one, from one snapshot of the database, without controls."""
    rows = await pool.fetch(_PLAIN, list(viewers), list(viewers.values()))
    return {row["viewer"]: _snapshot(row, None) for row in rows}


async def controlled_snapshots(pool: Pool, viewers: Mapping[UserId, int], at_us: int) -> dict[UserId, WalletSnapshot]:
    """As `snapshots`, with controls: for the few who have some, as what they have spent is added up.

    at_us: the time by Redis's clock, which says what periods run.
    """
    starts = controls.period_starts(at_us)
    rows = await pool.fetch(_WITH_CONTROLS, list(viewers), list(viewers.values()), *starts)
    return {row["viewer"]: _snapshot(row, controls.read_controls(row, at_us)) for row in rows}


def _snapshot(row: Record, held: Controls | None) -> WalletSnapshot:
    return WalletSnapshot(
        row["coins"], row["credit_number"], row["epoch"], row["number"], row["blocked"], row["has_controls"], held
    )
