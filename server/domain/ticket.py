"""What lets viewers into an exclusive room: an item of the catalogue at the version that the room was opened with."""

import msgspec
from msgspec import Struct


class RoomTicket(Struct, frozen=True):
    """coins, diamonds: of one ticket. starts_at_us: when the room was announced to begin, 0 for at once."""

    item: str
    version: int
    coins: int
    diamonds: int
    starts_at_us: int = 0


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(RoomTicket).decode


def write_ticket(ticket: RoomTicket | None) -> bytes:
    """The ticket as a room in Redis keeps it; empty for a room that is open to all."""
    return b"" if ticket is None else _encode(ticket)


def read_ticket(kept: bytes) -> RoomTicket | None:
    """What `write_ticket` wrote."""
    return _decode(kept) if kept else None
