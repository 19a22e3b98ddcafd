"""Step-up confirmation as Postgres keeps it: sealed secrets, digests of recovery codes, confirmations not yet used."""

from dataclasses import dataclass
from datetime import datetime

from server.stores.postgres import Connection, Pool

FORGOTTEN_AT_ONCE_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Held:
    """A user's second factor. enrolled: a first code was right. used_step: newest time step whose code was taken.

    wrong: wrong codes since the last right one. locked: no code is looked at until locked_until.
    """

    secret: bytes
    enrolled: bool
    used_step: int
    wrong: int
    locked: bool
    locked_until: datetime | None


_HELD = """
    SELECT secret, enrolled_at IS NOT NULL AS enrolled, used_step, wrong,
           coalesce(locked_until > now(), false) AS locked, locked_until
    FROM step_up WHERE user_id = $1
"""


async def find(conn: Connection, user_id: str, *, lock: bool = False) -> Held | None:
    """A user's second factor, locked for the rest of the transaction if asked; None when none was begun."""
    row = await conn.fetchrow(f"{_HELD} FOR UPDATE" if lock else _HELD, user_id)
    return None if row is None else Held(*row.values())


async def begin(conn: Connection, user_id: str, secret: bytes) -> bool:
    """Keeps the secret of a new enrolment, in place of one that was never finished; False when one was.

    Wrong codes go on being counted: beginning anew frees nobody.
    """
    await conn.execute("INSERT INTO users (id, name) VALUES ($1, $1) ON CONFLICT DO NOTHING", user_id)
    status = await conn.execute(
        """
        INSERT INTO step_up (user_id, secret) VALUES ($1, $2)
        ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, used_step = 0, made_at = now()
        WHERE step_up.enrolled_at IS NULL
        """,
        user_id,
        secret,
    )
    return status.endswith(" 1")


async def took_code(conn: Connection, user_id: str, used_step: int, sealed_anew: bytes | None = None) -> None:
    """Notes a right code, which also ends an enrolment. used_step: as before where a recovery code was taken."""
    await conn.execute(
        """
        UPDATE step_up SET used_step = $2, wrong = 0, locked_until = NULL, secret = coalesce($3, secret),
                           enrolled_at = coalesce(enrolled_at, now())
        WHERE user_id = $1
        """,
        user_id,
        used_step,
        sealed_anew,
    )


async def count_wrong(conn: Connection, user_id: str, wrong: int, locked_s: float | None) -> None:
    """Notes a wrong code. locked_s: for how long none is looked at, if so."""
    await conn.execute(
        "UPDATE step_up SET wrong = $2, locked_until = now() + make_interval(secs => $3) WHERE user_id = $1",
        user_id,
        wrong,
        locked_s,
    )


async def remove(conn: Connection, user_id: str) -> None:
    """Takes a user's second factor away, with its recovery codes."""
    await conn.execute("DELETE FROM step_up WHERE user_id = $1", user_id)


async def replace_recovery_codes(conn: Connection, user_id: str, digests: list[bytes]) -> None:
    """Puts new recovery codes in place of all that there were."""
    await conn.execute("DELETE FROM recovery_codes WHERE user_id = $1", user_id)
    await conn.execute("INSERT INTO recovery_codes (user_id, digest) SELECT $1, unnest($2::bytea[])", user_id, digests)


async def use_recovery_code(conn: Connection, user_id: str, digest: bytes) -> bool:
    """Takes a recovery code; False when it is none, or was taken before."""
    status = await conn.execute(
        "UPDATE recovery_codes SET used_at = now() WHERE user_id = $1 AND digest = $2 AND used_at IS NULL",
        user_id,
        digest,
    )
    return status.endswith(" 1")


async def recovery_codes_left(conn: Connection, user_id: str) -> int:
    """How many recovery codes can still be used."""
    left: int = await conn.fetchval(
        "SELECT count(*) FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL", user_id
    )
    return left


async def add_confirmation(conn: Connection, user_id: str, digest: bytes, lives_s: float) -> datetime:
    """Keeps a confirmation; answers until when it can be used."""
    expires_at: datetime = await conn.fetchval(
        "INSERT INTO confirmations (digest, user_id, expires_at)"
        " VALUES ($1, $2, now() + make_interval(secs => $3)) RETURNING expires_at",
        digest,
        user_id,
        lives_s,
    )
    return expires_at


async def use_confirmation(conn: Connection, user_id: str, digest: bytes) -> bool:
    """Takes a confirmation; False when it is not this user's, is too old, or was taken before.

    Of two transactions that take the same one, the second waits for the first.
    """
    status = await conn.execute(
        "UPDATE confirmations SET used_at = now()"
        " WHERE digest = $1 AND user_id = $2 AND used_at IS NULL AND expires_at > now()",
        digest,
        user_id,
    )
    return status.endswith(" 1")


async def forget_confirmations(pool: Pool) -> int:
    """Drops confirmations that have been too old for a day, a bounded number at once; answers how many."""
    status = await pool.execute(
        """
        DELETE FROM confirmations WHERE digest IN (
            SELECT digest FROM confirmations WHERE expires_at < now() - interval '1 day' ORDER BY expires_at LIMIT $1
        )
        """,
        FORGOTTEN_AT_ONCE_MAX,
    )
    return int(status.rpartition(" ")[2])
