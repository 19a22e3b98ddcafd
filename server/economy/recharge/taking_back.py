"""When a provider takes its money back, the coins go back too: whatever order refunds and disputes are heard in.

Claims are kept as facts, each in the furthest state that was heard of; what is taken back of a purchase follows from
all of them together, and only the difference to what is taken back already is booked.
"""

from server.domain.ids import UserId
from server.economy.recharge import debts
from server.economy.recharge.payment import Fact, PaymentEvent
from server.ledger.notices import notify
from server.ledger.recharge import claims, purchases, recoveries
from server.ledger.recharge.claims import Kind, Standing, State
from server.ledger.recharge.purchases import Purchase, Status
from server.ledger.wallets import book_credit
from server.stores.postgres import Connection

_STATES: dict[Fact, State] = {
    Fact.DISPUTED: "open",
    Fact.REFUNDED: "stands",
    Fact.LOST: "stands",
    Fact.RETURNED: "returned",
}
_ORDER: tuple[State, ...] = ("open", "stands", "returned")


async def hear_claim(conn: Connection, purchase: Purchase, event: PaymentEvent, hold_s: float) -> set[str]:
    """Notes what was said about a claim on a locked, credited purchase; answers whose wallet is to be looked at.

    hold_s: how long the diamonds of gifts bought with refunded coins wait for their debt to be paid. The amounts are
    the provider's: parts of the purchase's own.
    """
    claim = event.claim or event.event
    kind: Kind = "chargeback" if event.chargeback or event.fact in {Fact.DISPUTED, Fact.LOST} else "refund"
    heard, said = await claims.state_of(conn, event.provider, claim), _STATES[event.fact]
    state = said if heard is None else max(heard, said, key=_ORDER.index)
    amount = purchase.amount if event.amount is None else min(event.amount, purchase.amount)
    final_in_s = hold_s if kind == "refund" else 0.0
    await claims.put(conn, event.provider, claim, purchase.id, kind, amount, state, final_in_s)
    return await _follow(conn, purchase, await claims.standing(conn, purchase.id), event)


async def _follow(conn: Connection, purchase: Purchase, standing: Standing, event: PaymentEvent) -> set[str]:
    """Takes back, or gives back, what the claims ask for and is not booked yet."""
    coins = share(purchase.coins, standing.taken, purchase.amount)
    bonus = share(purchase.bonus_coins, standing.taken, purchase.amount)
    reference = f"{purchase.id}:{event.event}"
    await _book(conn, purchase, coins - purchase.coins_back, ("refund", "purchase"), reference)
    await _book(conn, purchase, bonus - purchase.bonus_back, ("forfeit", "promotion"), f"bonus:{reference}")
    status = _status(purchase, standing)
    await purchases.set_taken_back(conn, purchase.id, coins=coins, bonus=bonus, status=status)
    moved = coins + bonus - purchase.coins_back - purchase.bonus_back
    if coins:
        await recoveries.begin(conn, purchase.id, purchase.user_id)
    else:
        await recoveries.clear(conn, purchase.id)
    if event.fact is Fact.RETURNED:
        await debts.ease(conn, purchase.user_id, purchase.id)
    if moved:
        await _tell(conn, purchase, moved)
    return {purchase.user_id}


def share(coins: int, taken: int, amount: int) -> int:
    """How many of a purchase's coins go back when `taken` of its `amount` (minor units) did; rounded up."""
    return min(coins, -(-coins * taken // amount))


def _status(purchase: Purchase, standing: Standing) -> Status:
    if standing.taken and standing.chargeback:
        return "charged_back"
    return "refunded" if standing.taken >= purchase.amount else "credited"


async def _book(conn: Connection, purchase: Purchase, coins: int, kinds: tuple[str, str], reference: str) -> None:
    """Books coins as taken back (more than 0) or given back (less); kinds: of the one credit and of the other."""
    if coins == 0:
        return
    kind, reason = (kinds[0], "the payment was taken back") if coins > 0 else (kinds[1], "the payment came back")
    await book_credit(conn, UserId(purchase.user_id), -coins, kind, reference, reason)


async def _tell(conn: Connection, purchase: Purchase, coins: int) -> None:
    message = (
        f"A payment was taken back, and {coins:,} coins with it."
        if coins > 0
        else f"A payment that was taken back has come in again: {-coins:,} coins are yours again."
    )
    await notify(conn, purchase.user_id, "purchase", message, {"purchase": purchase.id, "coins": -coins})
