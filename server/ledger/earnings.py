"""What a creator earned, as far as it is settled."""

from dataclasses import dataclass

from server.domain.ids import UserId
from server.ledger.rooms import Room, of_creator
from server.stores.postgres import Pool

ROOMS_MAX = 100


@dataclass(frozen=True, slots=True)
class Earnings:
    """A creator's settled diamonds, whatever became of them since; and the newest ROOMS_MAX rooms they came from."""

    diamonds: int
    rooms: list[Room]


async def earnings(pool: Pool, creator_id: UserId) -> Earnings:
    """A creator's settled earnings; nothing for somebody who never opened a room."""
    diamonds: int = await pool.fetchval(
        """
        SELECT coalesce(sum(balance), 0)::bigint FROM accounts
        WHERE owner = $1 AND kind IN ('diamonds_available', 'diamonds_held', 'diamonds_paid')
        """,
        creator_id,
    )
    rooms, _ = await of_creator(pool, creator_id, ROOMS_MAX)
    return Earnings(diamonds, rooms)
