"""The notices feed over HTTP; new ones come on the socket as well (server/web/notices.py)."""

from aiohttp import web

from server.ledger import notices
from server.web.economy.notices_shapes import FeedNotice, NoticesFeed, ReadUpTo, UnreadNotices
from server.web.http import answer, identity_of, limit_of, read_body, rfc3339, services_of
from server.web.route import Route
from server.web.strict_json import StrictDecoder

_read_up_to = StrictDecoder(ReadUpTo)


async def list_notices(request: web.Request) -> web.Response:
    """What one was told, newest first."""
    pool, identity = services_of(request).pool, await identity_of(request)
    found, following = await notices.page(pool, identity.user_id, limit_of(request), request.query.get("cursor"))
    feed = [
        FeedNotice(str(notice.id), notice.kind, notice.message, notice.detail, rfc3339(notice.at), notice.read)
        for notice in found
    ]
    return answer(NoticesFeed(feed, await notices.unread(pool, identity.user_id), following))


async def read_notices(request: web.Request) -> web.Response:
    """Mark notices as read, up to one and with it."""
    pool, identity = services_of(request).pool, await identity_of(request)
    body = await read_body(request, _read_up_to)
    async with pool.acquire() as conn, conn.transaction():
        await notices.mark_read(conn, identity.user_id, int(body.up_to))
    return answer(UnreadNotices(await notices.unread(pool, identity.user_id)))


ROUTES = (
    Route(method="GET", path="/notices", handler=list_notices, answer=NoticesFeed, pages=True),
    Route(method="POST", path="/notices/read", handler=read_notices, body=ReadUpTo, answer=UnreadNotices),
)
