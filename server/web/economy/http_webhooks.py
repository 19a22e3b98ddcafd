"""Where payment providers send their notifications: each verified by its provider before anything is believed."""

from aiohttp import web

from server.domain.errors import Code, Refusal
from server.economy.recharge.providers.provider import BadNotificationError, ProviderAwayError
from server.web.economy.purchase_shapes import NotificationHeard
from server.web.http import answer, services_of
from server.web.route import Route

NOTIFICATION_BYTES_MAX = 262_144
"""Larger than other bodies may be: signed notifications carry certificates, or whole objects of the provider."""


async def hear_notification(request: web.Request) -> web.Response:
    """A payment provider's notification; the same one again changes nothing."""
    cashier = services_of(request).cashier
    provider = cashier.providers.get(request.match_info["provider"])
    if provider is None:
        raise Refusal(Code.NOT_FOUND)
    body = await request.clone(client_max_size=NOTIFICATION_BYTES_MAX).read()
    try:
        said = await provider.read(request.headers, body)
    except BadNotificationError as error:
        raise Refusal(Code.UNAUTHORIZED, f"This notification is not believed: {error}.") from error
    except ProviderAwayError as error:
        raise Refusal(Code.UNAVAILABLE) from error
    for event in said:
        await cashier.hear(event)
    return answer(NotificationHeard(len(said)))


ROUTES = (
    Route(
        method="POST",
        path="/webhooks/{provider}",
        handler=hear_notification,
        answer=NotificationHeard,
        needs_token=False,
        codes=(Code.NOT_FOUND, Code.UNAUTHORIZED, Code.BAD_REQUEST),
    ),
)
