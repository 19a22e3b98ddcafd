"""Looking at a payout before money leaves: by the rules always, by a person where these find something."""

from server.domain.errors import Code, Refusal
from server.economy.payouts.states import step
from server.economy.payouts.terms import Terms
from server.ledger.admin.record import record
from server.ledger.care import cases
from server.ledger.creators import payout_methods, payouts
from server.ledger.creators.payouts import Payout
from server.ledger.notices import notify
from server.stores.postgres import Connection, Pool

SHARED_ACCOUNT = "shared_payout_account"
"""The pattern that a shared destination is flagged as, beside those of server/ledger/care/patterns.py."""
RULES = "rules"
"""Who approves what has no flag."""
DEMO = "demo"
"""Who approves in demo mode what nobody else would."""


async def flags_of(conn: Connection, terms: Terms, payout: Payout, fingerprints: list[bytes]) -> list[str]:
    """Why a person should look at a payout; nothing for most. A shared destination is a case of its own too.

    fingerprints: of its destination.
    """
    ever, there = await payouts.paid_before(conn, payout)
    suspected = await cases.suspected(conn, payout.creator_id)
    shared = await payout_methods.shared(conn, payout.creator_id, fingerprints)
    if shared:
        await cases.flag(conn, SHARED_ACCOUNT, payout.creator_id, {"payout": payout.id})
    found = {
        "first_payout": not ever,
        "new_destination": ever and not there,
        "shared_destination": shared,
        "large_amount": payout.amount >= terms.review_from,
        "suspected_fraud": suspected,
        "disputed_gifts": await payouts.disputed(conn, payout.creator_id),
        "account_blocked": await payouts.barred(conn, payout.creator_id),
    }
    return [flag for flag, raised in found.items() if raised]


async def approve(conn: Connection, payout_id: str, by_id: str) -> Payout:
    """Lets a payout be sent, in the caller's transaction.

    Raises Refusal: not_found, forbidden for one's own, conflict for one that is not waiting for it.
    """
    payout = await _waiting(conn, payout_id, by_id)
    if not await payouts.approve(conn, payout_id, by_id):
        raise Refusal(Code.CONFLICT, "This payout does not wait for a decision.")
    await record(conn, by_id, "payout_approved", payout_id, {"creator": payout.creator_id})
    return payout


async def refuse(conn: Connection, payout_id: str, by_id: str, reason: str) -> Payout:
    """Refuses a payout that no provider was told of, in the caller's transaction; its diamonds go back.

    Raises as `approve`.
    """
    payout = await _waiting(conn, payout_id, by_id)
    await payouts.move(conn, payout, step("review", "failed"), by_id, reason, {"reason": reason})
    await record(conn, by_id, "payout_refused", payout_id, {"creator": payout.creator_id, "reason": reason})
    await notify(conn, payout.creator_id, "payout", f"Your cash-out was refused: {reason}", {"payout": payout.id})
    return payout


async def _waiting(conn: Connection, payout_id: str, by_id: str) -> Payout:
    payout = await payouts.hold(conn, payout_id)
    if payout is None:
        raise payouts.not_there()
    if payout.creator_id == by_id:
        raise Refusal(Code.FORBIDDEN, "Nobody decides about their own payout.")
    if payout.state != "review" or payout.sending:
        raise Refusal(Code.CONFLICT, "This payout does not wait for a decision.")
    return payout


async def approve_all_waiting(pool: Pool, age_s: float, limit: int) -> None:
    """In demo mode, where nobody reviews: approves what has waited so long."""
    for payout_id in await payouts.waiting_longer(pool, age_s, limit):
        async with pool.acquire() as conn, conn.transaction():
            await payouts.approve(conn, payout_id, DEMO)
