"""What the ledger knows of one gift or one purchase, all of one moment: for telling people where it is."""

from dataclasses import dataclass
from datetime import datetime

from server.domain.ids import GiftId
from server.stores.postgres import Connection

PROVIDERS = ("sandbox", "stripe", "apple", "google")
"""Named so that an index finds a payment by its id alone."""

EVENTS_MAX = 50
REQUEST_AGE_DAYS = 60
"""How far back a gift is looked for by the id of its request."""


@dataclass(frozen=True, slots=True)
class SettledGift:
    """A gift that is in the ledger, and the posting that booked it. creator: the name."""

    viewer: str
    room: str
    creator: str
    gift: str
    count: int
    coins: int
    diamonds: int
    at_us: int
    posting: int | None
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class SetAside:
    """A gift in quarantine. resolved_at: when an operator dealt with it."""

    viewer: str | None
    reason: str
    coins: int | None
    at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class ToldEvent:
    """Something that a payment provider told."""

    kind: str
    outcome: str
    at: datetime


@dataclass(frozen=True, slots=True)
class BookedCredit:
    """The credit of a purchase. applied_at: when Redis was seen to have it."""

    number: int
    coins: int
    kind: str
    at: datetime
    applied_at: datetime | None
    posting: int | None


async def settled_gift(conn: Connection, gift_id: GiftId) -> SettledGift | None:
    """A gift by its id; None as long as it is not settled."""
    row = await conn.fetchrow(
        """
        SELECT viewer_id AS viewer, room_id AS room, gift_id AS gift, count, coins, diamonds,
               coalesce((SELECT name FROM users WHERE id = creator_id), 'giftstream') AS creator,
               at_us, posting.id AS posting, posting.at AS settled_at
        FROM gifts LEFT JOIN LATERAL (
            SELECT id, at FROM postings
            WHERE kind = 'settlement' AND shard = $1 AND epoch = $2 AND first_number <= $3
            ORDER BY first_number DESC LIMIT 1
        ) AS posting ON true
        WHERE shard = $1 AND epoch = $2 AND number = $3
        """,
        gift_id.shard,
        gift_id.epoch,
        gift_id.number,
    )
    return None if row is None else SettledGift(**dict(row.items()))


async def set_aside(conn: Connection, gift_id: GiftId) -> SetAside | None:
    """A gift by its id, if it is in quarantine."""
    row = await conn.fetchrow(
        """
        SELECT viewer_id AS viewer, reason, coins, at, resolved_at FROM quarantine
        WHERE shard = $1 AND epoch = $2 AND number = $3
        """,
        gift_id.shard,
        gift_id.epoch,
        gift_id.number,
    )
    return None if row is None else SetAside(**dict(row.items()))


async def gift_of_request(conn: Connection, viewer: str, request_id: str) -> GiftId | None:
    """The newest settled gift of a viewer that answered a request, of the last REQUEST_AGE_DAYS."""
    row = await conn.fetchrow(
        """
        SELECT shard, epoch, number FROM gifts
        WHERE viewer_id = $1 AND request_id = $2
          AND at_us > (extract(epoch FROM now() - make_interval(days => $3)) * 1000000)::bigint
        ORDER BY epoch DESC, number DESC LIMIT 1
        """,
        viewer,
        request_id,
        REQUEST_AGE_DAYS,
    )
    return None if row is None else GiftId(row["shard"], row["epoch"], row["number"])


async def purchase_by(conn: Connection, reference: str, user_id: str | None) -> str | None:
    """The id of a purchase by its own id, or its provider's of the payment or checkout; of one user unless None."""
    found: str | None = await conn.fetchval(
        """
        SELECT id FROM (
            SELECT id, user_id FROM purchases WHERE id = $1
            UNION ALL SELECT id, user_id FROM purchases WHERE provider = ANY($3::text[]) AND transaction = $1
            UNION ALL SELECT id, user_id FROM purchases WHERE provider = ANY($3::text[]) AND checkout = $1
        ) AS found WHERE $2::text IS NULL OR user_id = $2 LIMIT 1
        """,
        reference,
        user_id,
        list(PROVIDERS),
    )
    return found


async def told(conn: Connection, purchase_id: str) -> list[ToldEvent]:
    """What a provider told about a purchase, oldest first."""
    rows = await conn.fetch(
        "SELECT kind, outcome, at FROM payment_events WHERE purchase_id = $1 ORDER BY at, event LIMIT $2",
        purchase_id,
        EVENTS_MAX,
    )
    return [ToldEvent(**dict(row.items())) for row in rows]


async def credits_for(conn: Connection, purchase_id: str) -> list[BookedCredit]:
    """The credits of a purchase: its coins and its bonus, and what was taken back of them, in their order."""
    rows = await conn.fetch(
        """
        SELECT credits.number, credits.coins, credits.kind, credits.at, applied_at, postings.id AS posting
        FROM credits LEFT JOIN postings
          ON postings.kind = 'credit' AND postings.user_id = credits.user_id AND credit_number = credits.number
        WHERE credits.user_id = (SELECT user_id FROM purchases WHERE id = $1)
          AND (credits.reference IN ($1, 'bonus:' || $1)
               OR starts_with(credits.reference, $1 || ':') OR starts_with(credits.reference, 'bonus:' || $1 || ':'))
        ORDER BY credits.number LIMIT $2
        """,
        purchase_id,
        EVENTS_MAX,
    )
    return [BookedCredit(**dict(row.items())) for row in rows]
