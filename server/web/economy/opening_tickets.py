"""The ticket of a room that is opened, and of one that is shown."""

from datetime import UTC, datetime, timedelta

from msgspec import UNSET, UnsetType

from server.domain.catalogue import Catalogue, ItemKind
from server.domain.errors import Code, Refusal
from server.domain.ticket import RoomTicket
from server.web.http import rfc3339
from server.web.shapes import NewRoom, Ticket

ANNOUNCED_DAYS_MAX = 30
"""How long before it begins a room can be opened for the sale of its tickets."""


def ticket_of(catalogue: Catalogue, room: NewRoom) -> RoomTicket | None:
    """The ticket that a new room asks for, at today's price. Raises Refusal (unknown_gift, bad_request)."""
    if room.ticket is None:
        if room.starts_at is not None:
            raise Refusal(Code.BAD_REQUEST, "Only rooms with tickets are announced beforehand.")
        return None
    item = catalogue.item(room.ticket)
    if item is None or item.kind is not ItemKind.TICKET or not item.active:
        raise Refusal(Code.UNKNOWN_GIFT, "There is no such ticket.")
    starts_at_us = 0 if room.starts_at is None else _future_us(room.starts_at)
    return RoomTicket(item.id, item.version, item.coins, item.diamonds, starts_at_us)


def shown_ticket(ticket: RoomTicket | None) -> Ticket | UnsetType:
    """As rooms are shown."""
    if ticket is None:
        return UNSET
    starts_us = ticket.starts_at_us
    return Ticket(
        item=ticket.item,
        coins=ticket.coins,
        starts_at=rfc3339(datetime.fromtimestamp(starts_us / 1_000_000, UTC)) if starts_us else UNSET,
    )


def _future_us(starts_at: str) -> int:
    try:
        at = datetime.fromisoformat(starts_at)
        ahead = at - datetime.now(UTC)
    except (ValueError, TypeError, OverflowError):
        raise Refusal(Code.BAD_REQUEST, "`starts_at` is a time such as 2030-01-31T20:00:00Z.") from None
    if not timedelta(0) < ahead <= timedelta(days=ANNOUNCED_DAYS_MAX):
        raise Refusal(Code.BAD_REQUEST, f"`starts_at` is in the next {ANNOUNCED_DAYS_MAX} days.")
    return round(at.timestamp() * 1_000_000)
