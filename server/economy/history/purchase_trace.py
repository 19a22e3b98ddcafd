"""Where bought coins are: provider, purchase, credit, wallet."""

from server.economy.history.trace import Step, Trace
from server.ledger import traces
from server.ledger.recharge import purchases
from server.ledger.recharge.purchases import Purchase
from server.ledger.traces import BookedCredit, ToldEvent
from server.stores.postgres import Pool

_VERDICTS = {
    "created": "Nothing was paid yet: the payment was begun and the provider has not said that it was made.",
    "pending": "The payment is under way: the provider waits for the money, and the coins follow by themselves.",
    "paid": "The payment arrived and the coins are being credited; that is tried again until it is done.",
    "credited": "The coins are in the wallet.",
    "declined": "The provider declined the payment: nothing was paid, and no coins were given.",
    "expired": "The payment was not made in time. If it was made all the same, the coins follow when we hear of it.",
    "refunded": "The payment was refunded, and its coins were taken back.",
    "charged_back": "The bank took the payment back, and its coins were taken back with it.",
}


async def trace_purchase(pool: Pool, reference: str, user_id: str | None) -> Trace | None:
    """Follows a purchase by its id or its provider's; None when this user (None: anybody) has none like it."""
    async with pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        purchase_id = await traces.purchase_by(conn, reference, user_id)
        purchase = None if purchase_id is None else await purchases.get(conn, purchase_id)
        if purchase is None:
            return None
        told = await traces.told(conn, purchase.id)
        booked = await traces.credits_for(conn, purchase.id)
    verdict = _VERDICTS[purchase.status]
    if purchase.status == "credited" and any(credit.applied_at is None for credit in booked):
        verdict = "The coins are booked, and will be in the wallet within seconds."
    steps = [*_told(purchase, told), _state(purchase), *_credits(purchase, booked)]
    return Trace("purchase", purchase.id, purchase.user_id, verdict, steps)


def _told(purchase: Purchase, told: list[ToldEvent]) -> list[Step]:
    if not told:
        return [Step("provider", "waiting", f"{purchase.provider} has not said anything about it yet.")]
    transaction = f" of payment {purchase.transaction}" if purchase.transaction else ""
    return [
        Step(
            "provider",
            "stopped" if event.outcome == "mismatch" else "done",
            f"{purchase.provider} said “{event.kind}”{transaction}"
            + (", which did not fit this purchase." if event.outcome == "mismatch" else "."),
            event.at,
        )
        for event in told
    ]


def _state(purchase: Purchase) -> Step:
    price = f"{purchase.coins:,} coins for {purchase.amount / 100:.2f} {purchase.currency}"
    if purchase.status in {"created", "pending"}:
        return Step("purchase", "waiting", f"{price}: {purchase.status}.", purchase.created_at)
    if purchase.status in {"declined", "expired"}:
        return Step("purchase", "stopped", f"{price}: {purchase.status}.", purchase.created_at)
    return Step("purchase", "done", f"{price}: paid.", purchase.paid_at)


def _credits(purchase: Purchase, booked: list[BookedCredit]) -> list[Step]:
    if not booked:
        state = "waiting" if purchase.status in {"created", "pending", "paid"} else "stopped"
        return [Step("credit", state, "No coins were booked for it.")]  # type: ignore[arg-type]
    steps: list[Step] = []
    for credit in booked:
        verb = "given" if credit.coins > 0 else "taken back"
        what = f"{abs(credit.coins):,} coins were {verb} ({credit.kind}, posting {credit.posting})."
        steps.append(Step("credit", "done", what, credit.at))
        if credit.applied_at is None:
            steps.append(Step("wallet", "waiting", "The wallet does not have it yet; that takes seconds."))
        else:
            steps.append(Step("wallet", "done", "The wallet has it.", credit.applied_at))
    return steps
