"""One pass over a room's members: each gets what it has not got yet, in one write. Nothing here waits for a member."""

import asyncio

from server.rooms.feed import Feed, Member
from server.settings import Settings

MEMBERS_PER_TURN = 256
"""After so many writes other work gets a turn."""

TOO_SLOW = 4410


def piece_bytes_max(settings: Settings) -> int:
    """What one write may add to a send buffer: from below the soft limit it stays below the hard one."""
    return min(settings.send_buffer_soft_bytes, settings.send_buffer_hard_bytes - settings.send_buffer_soft_bytes)


def unsent_bytes(member: Member) -> int | None:
    """What waits in the member's send buffer; None when the connection is gone."""
    try:
        return None if member.transport.is_closing() else member.transport.get_write_buffer_size()
    except (RuntimeError, OSError, AttributeError):
        return None


def write(member: Member, data: bytes) -> bool:
    """Writes; False when the connection is gone (uvloop says so with RuntimeError)."""
    try:
        return member.write(data)
    except (RuntimeError, OSError):
        return False


class Pass:
    """Who is not at the head after a pass: `slow` ones wait, `lost` ones are to be served from the room's log."""

    __slots__ = ("gone", "lost", "slow", "too_slow")

    def __init__(self) -> None:
        self.gone: list[Member] = []
        self.too_slow: list[Member] = []
        self.lost: list[Member] = []
        self.slow = False


async def fan_out(feed: Feed, settings: Settings) -> Pass:
    """Brings every member towards the feed's head. Members may come and go meanwhile: each one's place is looked at
    just before its write. Members that are gone or too slow have been taken off the feed.
    """
    result = Pass()
    head, generation = feed.head, feed.generation
    bytes_max = piece_bytes_max(settings)
    pieces: dict[int, tuple[bytes, int] | None] = {}
    members = list(feed.members)
    for start in range(0, len(members), MEMBERS_PER_TURN):
        if start:
            await asyncio.sleep(0)
            if feed.generation != generation:
                break
        places = feed.members
        for member in members[start : start + MEMBERS_PER_TURN]:
            sent = places.get(member)
            if sent is None or sent >= head or (member.unsent and not _may_write(feed, member, settings, result)):
                continue
            if sent not in pieces:
                pieces[sent] = feed.after(sent, head, bytes_max)
            piece = pieces[sent]
            if piece is None:
                result.lost.append(member)
            elif write(member, piece[0]):
                places[member] = piece[1]
            else:
                _take_off(feed, member, result.gone)
    result.slow = result.slow or any(piece is not None and piece[1] < head for piece in pieces.values())
    return result


def _may_write(feed: Feed, member: Member, settings: Settings, result: Pass) -> bool:
    """Looks at a member that had not taken all of its last write: whether it may get more."""
    unsent = unsent_bytes(member)
    if unsent is None:
        _take_off(feed, member, result.gone)
    elif unsent > settings.send_buffer_hard_bytes:
        _take_off(feed, member, result.too_slow)
    elif unsent > settings.send_buffer_soft_bytes:
        result.slow = True
    else:
        return True
    return False


def _take_off(feed: Feed, member: Member, to: list[Member]) -> None:
    feed.members.pop(member, None)
    to.append(member)
