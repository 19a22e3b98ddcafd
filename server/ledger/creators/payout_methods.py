"""Where creators are paid: sealed destinations, and what is shown of them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from server.domain.errors import Code, Refusal
from server.stores.postgres import Connection, Pool

METHODS_MAX = 10
"""Of one creator, at a time."""


@dataclass(frozen=True, slots=True)
class Method:
    """A destination. sealed: only its owner's payouts open it; masked: what everybody else reads."""

    id: str
    creator_id: str
    kind: str
    holder: str
    sealed: bytes
    masked: str
    made_at: datetime
    removed_at: datetime | None


_METHOD = "SELECT id, creator_id, kind, holder, sealed, masked, made_at, removed_at FROM payout_methods"


async def add(  # noqa: PLR0917
    conn: Connection, id_: str, creator_id: str, kind: str, holder: str, sealed: bytes, masked: str, fingerprint: bytes
) -> Method:
    """Keeps a destination. Raises Refusal (limit_exceeded)."""
    await conn.execute("INSERT INTO users (id, name) VALUES ($1, $1) ON CONFLICT DO NOTHING", creator_id)
    # One after the other for each creator, so that the count holds.
    await conn.execute("SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE", creator_id)
    if len(await of_creator(conn, creator_id)) >= METHODS_MAX:
        raise Refusal(Code.LIMIT_EXCEEDED, f"There can be {METHODS_MAX} ways to be paid, and there are.")
    await conn.execute(
        "INSERT INTO payout_methods (id, creator_id, kind, holder, sealed, masked, fingerprint)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        id_,
        creator_id,
        kind,
        holder,
        sealed,
        masked,
        fingerprint,
    )
    return await get(conn, id_)


async def get(conn: Connection, id_: str) -> Method:
    """A destination, also one that was removed. Raises Refusal (not_found)."""
    row = await conn.fetchrow(f"{_METHOD} WHERE id = $1", id_)
    if row is None:
        raise Refusal(Code.NOT_FOUND, "There is no such way to be paid.")
    return Method(*row.values())


async def of_creator(conn: "Connection | Pool", creator_id: str) -> list[Method]:
    """A creator's destinations, oldest first."""
    rows = await conn.fetch(f"{_METHOD} WHERE creator_id = $1 AND removed_at IS NULL ORDER BY made_at, id", creator_id)
    return [Method(*row.values()) for row in rows]


async def remove(conn: Connection, creator_id: str, id_: str) -> None:
    """Takes a destination out of use; payouts under way to it go on. Raises Refusal (not_found)."""
    status = await conn.execute(
        "UPDATE payout_methods SET removed_at = now() WHERE id = $1 AND creator_id = $2 AND removed_at IS NULL",
        id_,
        creator_id,
    )
    if not status.endswith(" 1"):
        raise Refusal(Code.NOT_FOUND, "There is no such way to be paid.")


async def shared(conn: Connection, creator_id: str, fingerprints: list[bytes]) -> bool:
    """Whether somebody else is paid there too, or was."""
    found: bool = await conn.fetchval(
        "SELECT EXISTS (SELECT FROM payout_methods WHERE fingerprint = ANY($1::bytea[]) AND creator_id <> $2)",
        fingerprints,
        creator_id,
    )
    return found


async def of_ids(conn: Connection, ids: Collection[str]) -> dict[str, Method]:
    """Destinations by their ids, also those that were removed."""
    rows = await conn.fetch(f"{_METHOD} WHERE id = ANY($1::text[])", list(ids))
    return {row["id"]: Method(*row.values()) for row in rows}
