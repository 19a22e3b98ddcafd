"""Everything that moved a viewer's coins as one list, newest first: gifts out of log and ledger, and credits."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from redis.asyncio import Redis

from server.domain.controls import microseconds
from server.domain.errors import Code, Refusal
from server.domain.ids import UserId
from server.ledger import history, movements, pages
from server.ledger.history import ALWAYS, NUMBER_MAX, PastGift, Span
from server.ledger.movements import CREDIT_KINDS, PastCredit
from server.ledger.shards import Cursor
from server.stores.postgres import Pool
from server.wallet.gift_history import GiftPage, gift_page

Kind = Literal["gift", "purchase", "promotion", "correction", "return", "refund", "forfeit"]
KINDS: tuple[str, ...] = ("gift", *CREDIT_KINDS)


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement. id: `w07-3-123` or `credit-12`. coins: below zero for what left. at_us: microseconds, UTC.

    status: of a gift `accepted` (not settled yet) or `settled`; of a credit `booked` (in the ledger) or `applied`.
    """

    id: str
    kind: str
    coins: int
    at_us: int
    status: str
    what: str
    count: int = 1
    room: str = ""
    creator: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """movements: newest first. next: the cursor of what follows, None at the end."""

    movements: list[Movement]
    next: str | None


async def page(  # noqa: PLR0917
    redis: Redis,
    pool: Pool,
    user_id: UserId,
    shards: int,
    kinds: Collection[str],
    limit: int,
    cursor: str | None,
    span: Span = ALWAYS,
) -> Page:
    """A page of a user's movements of some kinds and some time.

    Raises Refusal (bad_request) for a wrong cursor or kind.
    Both lists are in the order of their own numbers, which is that of time; a page takes from each what is newer.
    """
    if not kinds or not set(kinds) <= set(KINDS):
        raise Refusal(Code.BAD_REQUEST, f"A kind is one of {', '.join(KINDS)}.")
    before, credit_before = _read_places(cursor)
    found = GiftPage([], None)
    if "gift" in kinds:
        found = await gift_page(redis, pool, user_id, shards, limit=limit, before=before, span=span)
    gifts, more_gifts = found.gifts, found.last is not None
    credits_ = await movements.credits_before(pool, user_id, credit_before, limit + 1, set(kinds) - {"gift"}, span=span)
    taken: list[Movement] = []
    gift_at = credit_at = 0
    while len(taken) < limit and (gift_at < len(gifts) or credit_at < len(credits_)):
        gift = gifts[gift_at] if gift_at < len(gifts) else None
        credit = credits_[credit_at] if credit_at < len(credits_) else None
        if gift is None and more_gifts:
            break  # what follows among the gifts may be newer than this credit
        if credit is None or (gift is not None and gift.at_us >= _at_us(credit)):
            assert gift is not None
            taken.append(of_gift(gift))
            gift_at += 1
        else:
            taken.append(of_credit(credit))
            credit_at += 1
    # What cannot be shown among the gifts is passed over as well.
    last = found.last if gift_at == len(gifts) and found.last else gifts[gift_at - 1].gift_id if gift_at else None
    if last is not None:
        before = Cursor(last.epoch, last.number)
    if credit_at:
        credit_before = credits_[credit_at - 1].number
    if gift_at < len(gifts) or credit_at < len(credits_) or more_gifts:
        return Page(taken, pages.encode(before.epoch, before.number, credit_before))
    return Page(taken, None)


def of_gift(gift: PastGift) -> Movement:
    """A gift as a movement of its sender's coins."""
    return Movement(
        id=str(gift.gift_id),
        kind="gift",
        coins=-gift.coins,
        at_us=gift.at_us,
        status="settled" if gift.settled else "accepted",
        what=gift.gift,
        count=gift.count,
        room=gift.room,
        creator=gift.creator,
    )


def of_credit(credit: PastCredit) -> Movement:
    """A credit as a movement."""
    return Movement(
        id=f"credit-{credit.number}",
        kind=credit.kind,
        coins=credit.coins,
        at_us=_at_us(credit),
        status="applied" if credit.applied else "booked",
        what=credit.reason,
        reference=credit.reference,
    )


def _at_us(credit: PastCredit) -> int:
    return microseconds(credit.at)


def _read_places(cursor: str | None) -> tuple[Cursor, int]:
    if cursor is None:
        return history.NEWEST, NUMBER_MAX
    epoch, number, credit = pages.decode(cursor, int, int, int)
    if not (0 <= epoch <= history.EPOCH_MAX and 0 <= number <= NUMBER_MAX and 0 <= credit <= NUMBER_MAX):
        raise pages.not_ours()
    return Cursor(epoch, number), credit
