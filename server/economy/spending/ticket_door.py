"""Who may enter an exclusive room, and how a ticket for it is paid once.

A ticket counts from its acknowledgement on: the room's set of holders has it before the buyer hears of it. The rooms'
reader adds it again from the log, and a room that is loaded anew has those of the ledger; while such a room still
misses gifts, the buyer's log is asked too.
"""

from redis.asyncio import Redis

from server.domain.errors import Code, Refusal
from server.domain.gift import Accepted, Answer
from server.rooms.rooms import RoomInfo, Rooms
from server.stores.failures import REDIS_AWAY
from server.wallet.unsettled import unsettled_gifts

CLAIM_TTL_S = 30
"""How long a purchase that nobody ended keeps a second one away; longer than any purchase is under way."""


class TicketDoor:
    """The doors of all exclusive rooms, as one gateway sees them."""

    def __init__(self, rooms: Rooms, redis: Redis, wallet_shards: int) -> None:
        self._rooms = rooms
        self._redis = redis
        self._wallet_shards = wallet_shards

    async def admits(self, room: RoomInfo, viewer: str) -> bool:
        """Whether a viewer has a ticket, or needs none. Raises Refusal (room_not_found, unavailable)."""
        if room.ticket is None:
            return True
        held = await self._rooms.ticket(room.id, "held", viewer)
        return held == "held" or (held == "unsure" and await self._in_log(room, viewer))

    async def claim(self, room: RoomInfo, viewer: str, request: str) -> Code | None:
        """Begins a purchase; answers why not, if the viewer has a ticket or is buying one. Raises Refusal."""
        if await self._rooms.ticket(room.id, "held", viewer) == "unsure" and await self._in_log(room, viewer):
            return Code.CONFLICT
        claimed = await self._rooms.ticket(room.id, "claim", viewer, request, CLAIM_TTL_S)
        return {"held": Code.CONFLICT, "busy": Code.BUSY}.get(claimed)

    async def end_claim(self, room: RoomInfo, viewer: str, request: str, answer: Answer) -> None:
        """The wallet has answered. Raises Refusal: then the answer must not be given, and is asked for again."""
        if isinstance(answer, Accepted):
            await self._rooms.ticket(room.id, "keep", viewer)
        elif answer.code is not Code.UNAVAILABLE:
            # Of one that may have been paid nothing is known: its claim stays until it is asked for again.
            await self._rooms.ticket(room.id, "drop", viewer, request)

    async def _in_log(self, room: RoomInfo, viewer: str) -> bool:
        ticket = room.ticket
        try:
            waiting = await unsettled_gifts(self._redis, viewer, self._wallet_shards)
        except REDIS_AWAY as error:
            raise Refusal(Code.UNAVAILABLE) from error
        return ticket is not None and any((gift.room, gift.gift) == (room.id, ticket.item) for gift in waiting)
