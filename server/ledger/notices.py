"""What users are told: one row for each notice, written by the transaction that it speaks of."""

from collections.abc import Mapping
from typing import Any

import orjson

from server.stores.postgres import Connection

MESSAGE_CHARS_MAX = 300


async def notify(
    conn: Connection, user_id: str, kind: str, message: str, detail: Mapping[str, Any] | None = None
) -> None:
    """Leaves a notice for a user in the caller's transaction. kind: such as `purchase`, `payout` or `budget`."""
    await conn.execute(
        "INSERT INTO notices (user_id, kind, message, detail) VALUES ($1, $2, $3, $4)",
        user_id,
        kind,
        message[:MESSAGE_CHARS_MAX],
        orjson.dumps(dict(detail or {})).decode(),
    )
