"""Requests that carried an Idempotency-Key and their answers, kept by the transaction that did what was asked."""

from dataclasses import dataclass

from server.domain.errors import Code, Refusal
from server.stores.postgres import Connection, Pool

KEPT_DAYS = 7
FORGOTTEN_AT_ONCE_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Answered:
    """What a request was answered before. answer: the body, encoded."""

    status: int
    answer: bytes


async def begin(conn: Connection, user_id: str, key: str, fingerprint: str) -> Answered | None:
    """Claims a key in the caller's transaction; None when it is new.

    Waits for another request with this key that is under way. Raises Refusal (idempotency_conflict) when the key was
    used for another body.
    """
    status = await conn.execute(
        "INSERT INTO answered_requests (user_id, key, fingerprint) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        user_id,
        key,
        fingerprint,
    )
    if status.endswith(" 1"):
        return None
    row = await conn.fetchrow(
        "SELECT fingerprint, status, answer FROM answered_requests WHERE user_id = $1 AND key = $2", user_id, key
    )
    if row is None or row["fingerprint"] != fingerprint:
        raise Refusal(Code.IDEMPOTENCY_CONFLICT)
    assert row["status"] is not None, "an answer is committed together with its claim"
    return Answered(row["status"], row["answer"])


async def finish(conn: Connection, user_id: str, key: str, answered: Answered) -> None:
    """Keeps the answer under its key, in the transaction of `begin`."""
    await conn.execute(
        "UPDATE answered_requests SET status = $3, answer = $4 WHERE user_id = $1 AND key = $2",
        user_id,
        key,
        answered.status,
        answered.answer,
    )


async def forget(pool: Pool) -> int:
    """Drops answers that are older than KEPT_DAYS, a bounded number at once; answers how many."""
    status = await pool.execute(
        """
        DELETE FROM answered_requests WHERE (user_id, key) IN (
            SELECT user_id, key FROM answered_requests WHERE at < now() - make_interval(days => $1) ORDER BY at LIMIT $2
        )
        """,
        KEPT_DAYS,
        FORGOTTEN_AT_ONCE_MAX,
    )
    return int(status.rpartition(" ")[2])
