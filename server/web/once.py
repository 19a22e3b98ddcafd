"""A request that is carried out once: the same Idempotency-Key and body get the same answer again."""

from collections.abc import Awaitable, Callable

import asyncpg
from aiohttp import web
from msgspec import Struct, json

from server.domain.errors import Code, Refusal
from server.ledger import answered
from server.ledger.answered import Answered
from server.stores.postgres import Connection
from server.web.http import services_of
from server.web.http_gifts import fingerprint_of, idempotency_id

Work = Callable[[Connection], Awaitable[Struct]]

TRIES_MAX = 3
"""How often a transaction that others got in the way of is taken up again."""


async def once(request: web.Request, user_id: str, body: Struct | None, work: Work, status: int = 200) -> web.Response:
    """Does the work in one transaction, which also keeps its answer under the request's Idempotency-Key.

    A refusal rolls everything back and is not kept. Without a key the request stands for itself. The work may be done
    anew, after a rollback: it must not act outside of its transaction. Raises Refusal: idempotency_conflict for another
    request under this key, and what the work raises.
    """
    key = idempotency_id(request) if "Idempotency-Key" in request.headers else None
    fingerprint = fingerprint_of(request.method, request.path, json.encode(body))
    for _ in range(TRIES_MAX):
        try:
            async with services_of(request).pool.acquire() as conn, conn.transaction():
                found = await answered.begin(conn, user_id, key, fingerprint) if key else None
                if found is None:
                    found = Answered(status, json.encode(await work(conn)))
                    if key:
                        await answered.finish(conn, user_id, key, found)
        except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError):
            continue
        return web.Response(
            body=found.answer,
            status=found.status,
            content_type="application/json",
            headers={"Cache-Control": "no-store"},
        )
    raise Refusal(Code.UNAVAILABLE)
