"""Payouts and destinations as answers show them."""

from collections.abc import Iterable

from server.ledger.creators import payout_methods, payouts
from server.ledger.creators.payout_methods import Method
from server.ledger.creators.payouts import Event
from server.ledger.creators.payouts import Payout as KeptPayout
from server.stores.postgres import Connection
from server.web.economy.payouts_shapes import Payout, PayoutDetails, PayoutEvent, PayoutMethod
from server.web.economy.purchase_shapes import Money
from server.web.http import rfc3339


def method_view(method: Method) -> PayoutMethod:
    """A destination, masked."""
    return PayoutMethod(method.id, method.kind, method.holder, method.masked)  # type: ignore[arg-type]


async def payout_views(conn: Connection, kept: Iterable[KeptPayout]) -> list[Payout]:
    """Payouts with their destinations."""
    found = list(kept)
    methods = await payout_methods.of_ids(conn, {payout.method_id for payout in found})
    return [_view(payout, methods[payout.method_id]) for payout in found]


async def payout_details(conn: Connection, kept: KeptPayout) -> PayoutDetails:
    """A payout with its steps."""
    (view,) = await payout_views(conn, [kept])
    return PayoutDetails(view, [_event(event) for event in await payouts.events(conn, kept.id)])


def _event(event: Event) -> PayoutEvent:
    # Why the rules want a person to look is not for the creator.
    detail = None if event.state == "review" else event.detail
    return PayoutEvent(event.state, rfc3339(event.at), detail)  # type: ignore[arg-type]


def _view(kept: KeptPayout, method: Method) -> Payout:
    return Payout(
        id=kept.id,
        state=kept.state,  # type: ignore[arg-type]
        diamonds=kept.diamonds,
        money=Money(kept.amount, kept.currency),
        rate=kept.rate,
        method=method_view(method),
        requested_at=rfc3339(kept.requested_at),
        changed_at=rfc3339(kept.changed_at),
        expected_from=kept.expected_from.isoformat(),
        expected_to=kept.expected_to.isoformat(),
        reason=kept.reason,
    )
