"""What a creator earned, as far as it is settled."""

from dataclasses import dataclass

from server.domain.ids import UserId
from server.ledger.rooms import Room, of_creator
from server.stores.postgres import Pool

NEWEST_MAX = 100


@dataclass(frozen=True, slots=True)
class Earnings:
    """A creator's settled diamonds, whatever became of them since, and the rooms they came from, of one moment.

    newest: up to NEWEST_MAX rooms, those that may still earn. page: the rooms asked for. next: None on the last page.
    """

    diamonds: int
    newest: list[Room]
    page: list[Room]
    next: str | None


async def earnings(pool: Pool, creator_id: UserId, limit: int = NEWEST_MAX, cursor: str | None = None) -> Earnings:
    """A creator's settled earnings; nothing for somebody who never opened a room.

    Raises Refusal(BAD_REQUEST) for a wrong cursor.
    """
    async with pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        diamonds: int = await conn.fetchval(
            """
            SELECT coalesce(sum(balance), 0)::bigint FROM accounts
            WHERE owner = $1 AND kind IN ('diamonds_available', 'diamonds_held', 'diamonds_paid')
            """,
            creator_id,
        )
        newest, _ = await of_creator(conn, creator_id, NEWEST_MAX)
        page, following = await of_creator(conn, creator_id, limit, cursor)
    return Earnings(diamonds, newest, page, following)
