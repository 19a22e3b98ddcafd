"""Blocks on purchases: put on with a PIN, lifted by who knows it; wrong ones lock it for a while."""

import hashlib
import secrets

from server.domain.errors import Code, Refusal
from server.stores.postgres import Connection

WRONG_MAX = 5
LOCKED_S = 3_600
_ROUNDS = 200_000


async def is_blocked(conn: Connection, user_id: str) -> bool:
    """Whether a user may not buy."""
    return bool(await conn.fetchval("SELECT true FROM purchase_blocks WHERE user_id = $1", user_id))


async def put_on(conn: Connection, user_id: str, pin: str) -> None:
    """Puts a block on. Raises Refusal (conflict) when there is one: its PIN cannot be replaced by another."""
    salt = secrets.token_bytes(16)
    status = await conn.execute(
        "INSERT INTO purchase_blocks (user_id, salt, digest) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        user_id,
        salt,
        _digest(pin, salt),
    )
    if not status.endswith(" 1"):
        raise Refusal(Code.CONFLICT, "Purchases are blocked already.")


async def lift(conn: Connection, user_id: str, pin: str) -> bool:
    """Lifts a block with its PIN; False for a wrong one, which counts. The caller commits either way.

    Raises Refusal: not_found, rate_limited while it is locked after WRONG_MAX wrong ones.
    """
    row = await conn.fetchrow(
        """
        SELECT salt, digest, wrong, coalesce(locked_until > now(), false) AS locked FROM purchase_blocks
        WHERE user_id = $1 FOR UPDATE
        """,
        user_id,
    )
    if row is None:
        raise Refusal(Code.NOT_FOUND, "Purchases are not blocked.")
    if row["locked"]:
        raise Refusal(Code.RATE_LIMITED, "There were too many wrong PINs.", retry_ms=LOCKED_S * 1000)
    if secrets.compare_digest(bytes(row["digest"]), _digest(pin, bytes(row["salt"]))):
        await conn.execute("DELETE FROM purchase_blocks WHERE user_id = $1", user_id)
        return True
    await conn.execute(
        """
        UPDATE purchase_blocks SET wrong = (wrong + 1) % $2,
            locked_until = CASE WHEN wrong + 1 >= $2 THEN now() + make_interval(secs => $3) ELSE locked_until END
        WHERE user_id = $1
        """,
        user_id,
        WRONG_MAX,
        float(LOCKED_S),
    )
    return False


def _digest(pin: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", pin.encode(), salt, _ROUNDS)
