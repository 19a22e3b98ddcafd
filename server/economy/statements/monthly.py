"""Statements: what a creator earned in a month, what was paid, and what is left."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from server.domain.errors import Code, Refusal
from server.economy.creators.periods import day_start
from server.ledger.creators import statements as ledger
from server.ledger.creators.statements import Moves
from server.ledger.profiles import names_of
from server.stores.postgres import Connection

FINAL_AFTER = timedelta(days=1)
"""How long after its end a month may still change: gifts that were accepted in it are settled by then."""
MONTHS_MAX = 120

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month, UTC."""

    year: int
    number: int

    @classmethod
    def of(cls, at: datetime) -> "Month":
        return cls(at.astimezone(UTC).year, at.astimezone(UTC).month)

    @classmethod
    def parse(cls, text: str) -> "Month":
        """Reads `2026-05`. Raises Refusal (not_found) for what is no month."""
        year, dash, number = text.partition("-")
        digits = (year + number).isascii() and (year + number).isdigit()
        if not (dash and digits and len(year) == 4 and len(number) == 2 and year >= "1970" and "01" <= number <= "12"):
            raise Refusal(Code.NOT_FOUND, "A month is named like 2026-05.")
        return cls(int(year), int(number))

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"

    @property
    def begins(self) -> datetime:
        return datetime(self.year, self.number, 1, tzinfo=UTC)

    @property
    def following(self) -> "Month":
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    def earlier(self, months: int) -> "Month":
        """The month so many before this one."""
        year, month = divmod(self.year * 12 + self.number - 1 - months, 12)
        return Month(year, month + 1)

    @property
    def ends(self) -> datetime:
        return self.following.begins


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a statement. diamonds: with its sign; balance: after it; amount: money of a payout, minor units."""

    day: date
    what: str
    reference: str
    diamonds: int
    balance: int
    amount: int | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """A month in diamonds: opening + earned - paid + came_back - given_back = closing, which are not paid out yet."""

    creator_id: str
    creator_name: str
    month: Month
    made_at: datetime
    final: bool
    opening: int
    moves: Moves
    lines: list[Line]

    @property
    def closing(self) -> int:
        return self.opening + self.moves.balance


@dataclass(frozen=True, slots=True)
class Overview:
    """What a list of statements says of one."""

    month: Month
    final: bool
    moves: Moves
    closing: int


async def overviews(conn: Connection, creator_id: str, now: datetime) -> list[Overview]:
    """A creator's months since the first gift, newest first, MONTHS_MAX at most; of one snapshot."""
    first = await ledger.first_earned(conn, creator_id)
    if first is None:
        return []
    month, found = max(Month.of(first), Month.of(now).earlier(MONTHS_MAX - 1)), list[Overview]()
    balance = (await ledger.moves(conn, creator_id, _EPOCH, month.begins)).balance
    while month.begins <= now:
        moves = await ledger.moves(conn, creator_id, month.begins, month.ends)
        balance += moves.balance
        found.append(Overview(month, _is_final(month, now), moves, balance))
        month = month.following
    return found[::-1]


async def statement(conn: Connection, creator_id: str, month: Month, now: datetime) -> Statement:
    """A creator's statement of a month that has begun; of one snapshot.

    Raises Refusal (not_found) for a month that has not.
    """
    if month.begins > now:
        raise Refusal(Code.NOT_FOUND, "This month has not begun.")
    names = await names_of(conn, [creator_id])
    opening = (await ledger.moves(conn, creator_id, _EPOCH, month.begins)).balance
    return Statement(
        creator_id=creator_id,
        creator_name=names.get(creator_id, creator_id),
        month=month,
        made_at=now,
        final=_is_final(month, now),
        opening=opening,
        moves=await ledger.moves(conn, creator_id, month.begins, month.ends),
        lines=await _lines(conn, creator_id, month, opening),
    )


def _is_final(month: Month, now: datetime) -> bool:
    return now >= month.ends + FINAL_AFTER


async def _lines(conn: Connection, creator_id: str, month: Month, opening: int) -> list[Line]:
    """One line for each day with gifts, each payout and each reversal; those of one day in this order."""
    from_day, to_day = ((at - _EPOCH).days for at in (month.begins, month.ends))
    found = [
        Line(day_start(each.day).date(), f"{each.gifts:,} gifts", "", each.diamonds, 0)
        for each in await ledger.earned_by_day(conn, creator_id, from_day, to_day)
    ]
    for move in await ledger.payout_moves(conn, creator_id, month.begins, month.ends):
        paid = move.state == "paid"
        found.append(
            Line(
                day=move.at.astimezone(UTC).date(),
                what=f"Paid to {move.masked}" if paid else f"Came back from {move.masked}",
                reference=move.payout_id,
                diamonds=-move.diamonds if paid else move.diamonds,
                balance=0,
                amount=move.amount if paid else -move.amount,
                currency=move.currency,
            )
        )
    found += [
        Line(each.at.astimezone(UTC).date(), "Given back: its coins were refunded", "", -each.diamonds, 0)
        for each in await ledger.reversals(conn, creator_id, month.begins, month.ends)
    ]
    found.sort(key=lambda line: line.day)
    balance, lines = opening, list[Line]()
    for line in found:
        balance += line.diamonds
        lines.append(Line(line.day, line.what, line.reference, line.diamonds, balance, line.amount, line.currency))
    return lines
