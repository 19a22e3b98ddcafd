"""Where a credit is: booked, and in the wallet."""

from server.economy.history.trace import Step, Trace
from server.ledger import movements
from server.stores.postgres import Pool


async def trace_credit(pool: Pool, number: int, user_id: str) -> Trace | None:
    """Follows a user's credit by its number; None when there is none."""
    async with pool.acquire() as conn:
        credit = await movements.credit_of(conn, user_id, number)
    if credit is None:
        return None
    verb = "given" if credit.coins > 0 else "taken back"
    booked = Step(
        "credit", "done", f"{abs(credit.coins):,} coins were {verb} ({credit.kind}: {credit.reason}).", credit.at
    )
    wallet = Step("wallet", "done", "The wallet has it.")
    verdict = f"The coins were {verb}, and the wallet has it."
    if not credit.applied:
        wallet = Step("wallet", "waiting", "The wallet does not have it yet; that takes seconds.")
        verdict = "The coins are booked, and the wallet follows within seconds."
    return Trace("credit", f"credit-{number}", user_id, verdict, [booked, wallet])
