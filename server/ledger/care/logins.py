"""Where users came from: a row for each user, place and program, not one for each login."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from server.ledger import pages
from server.stores.postgres import Pool

KEPT_DAYS = 180
FORGOTTEN_AT_ONCE_MAX = 10_000
OFFSET_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Login:
    """A place and program that a user came with. address: a digest of it."""

    user_id: str
    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class PastLogin:
    """The same with when and how often."""

    address: str
    agent: str
    first_at: datetime
    last_at: datetime
    times: int


async def remember(pool: Pool, logins: Sequence[Login]) -> None:
    """Writes down logins of the last moments, each user, place and program once."""
    await pool.execute(
        """
        INSERT INTO logins (user_id, address, agent)
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS login (user_id, address, agent)
        ON CONFLICT (user_id, address, agent) DO UPDATE SET last_at = now(), times = logins.times + 1
        """,
        [login.user_id for login in logins],
        [login.address for login in logins],
        [login.agent for login in logins],
    )


async def of_user(pool: Pool, user_id: str, limit: int, cursor: str | None) -> tuple[list[PastLogin], str | None]:
    """A page of where a user came from, the latest first, and the next cursor. Raises Refusal (bad_request)."""
    (after,) = pages.decode(cursor, int) if cursor else (0,)
    if not 0 <= after <= OFFSET_MAX:
        raise pages.not_ours()
    rows = await pool.fetch(
        """
        SELECT address, agent, first_at, last_at, times FROM logins WHERE user_id = $1
        ORDER BY last_at DESC, address, agent OFFSET $2 LIMIT $3
        """,
        user_id,
        after,
        limit + 1,
    )
    found = [PastLogin(**dict(row.items())) for row in rows[:limit]]
    return found, pages.encode(after + limit) if len(rows) > limit else None


async def forget(pool: Pool) -> None:
    """Drops what is older than KEPT_DAYS, a bounded number at once."""
    await pool.execute(
        """
        DELETE FROM logins WHERE (user_id, address, agent) IN (
            SELECT user_id, address, agent FROM logins WHERE last_at < now() - make_interval(days => $1) LIMIT $2
        )
        """,
        KEPT_DAYS,
        FORGOTTEN_AT_ONCE_MAX,
    )
