"""What users told of themselves: what they go by, where they live and when they were born."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from server.stores.postgres import Connection


@dataclass(frozen=True, slots=True)
class Profile:
    """region: ISO 3166-1 alpha-2; None, like birth_date, as long as it was not told."""

    region: str | None = None
    birth_date: date | None = None


async def profile_of(conn: Connection, user_id: str) -> Profile:
    """A user's profile; an empty one for somebody who told nothing."""
    row = await conn.fetchrow("SELECT region, birth_date FROM profiles WHERE user_id = $1", user_id)
    return Profile() if row is None else Profile(row["region"], row["birth_date"])


async def settle_region(conn: Connection, user_id: str, region: str) -> str:
    """Binds a user to a region unless there is one already; answers the one that holds."""
    held: str = await conn.fetchval(
        """
        INSERT INTO profiles (user_id, region) VALUES ($1, $2)
        ON CONFLICT (user_id) DO UPDATE SET region = coalesce(profiles.region, excluded.region) RETURNING region
        """,
        user_id,
        region,
    )
    return held


async def tell_birth_date(conn: Connection, user_id: str, birth_date: date) -> date:
    """Keeps a birth date unless one was told already; answers the one that holds."""
    held: date = await conn.fetchval(
        """
        INSERT INTO profiles (user_id, birth_date) VALUES ($1, $2)
        ON CONFLICT (user_id) DO UPDATE SET birth_date = coalesce(profiles.birth_date, excluded.birth_date)
        RETURNING birth_date
        """,
        user_id,
        birth_date,
    )
    return held


async def names_of(conn: Connection, user_ids: Collection[str]) -> dict[str, str]:
    """What users go by; those whom the ledger does not know are left out."""
    rows = await conn.fetch("SELECT id, name FROM users WHERE id = ANY($1::text[])", list(user_ids))
    return {row["id"]: row["name"] for row in rows}
