"""After coins were taken back: what of them was spent already, and the diamonds that were made of those.

The coins in Redis tell the truth at once: below zero, something is owed, and no gift is sent. The ledger follows as
gifts settle. The newest settled gifts are held up to what the ledger lacks, and let go when nothing is owed any more.
"""

from server.ledger.recharge import holds, purchases, recoveries
from server.ledger.recharge.holds import Hold, Spent
from server.ledger.recharge.recoveries import Recovery
from server.ledger.wallets import balance_of
from server.stores.postgres import Connection, Pool
from server.wallet.wallets import Wallets

PASSES_MAX = 20
"""Passes of `cover` that one look makes; the next look goes on."""


async def look(pool: Pool, wallets: Wallets, user_id: str) -> None:
    """Brings a user's open recoveries to where the wallet is. Raises Refusal (unavailable), what Postgres raises."""
    balance = await wallets.refresh(user_id)
    for _ in range(PASSES_MAX):
        async with pool.acquire() as conn, conn.transaction():
            await purchases.lock_buyer(conn, user_id)
            found = await recoveries.open_of(conn, user_id)
            if not found:
                return
            ledger_coins, newest_credit = await balance_of(conn, user_id)
            if balance.coins >= 0 and balance.credit == newest_credit:
                # All credits are in, and nothing is owed: gifts still to settle are paid for as well.
                await holds.release(conn, [recovery.purchase_id for recovery in found])
                await recoveries.clear_all(conn, user_id)
                return
            if not await _cover(conn, user_id, found, -ledger_coins):
                return


async def ease(conn: Connection, user_id: str, purchase_id: str) -> None:
    """Money of a purchase came back, and so did its coins: holds what the rest of it lacks, and no more.

    In the transaction that gives the coins back: what is let go can be paid out as soon as that has committed.
    """
    found = await recoveries.open_of(conn, user_id)
    rest = next((recovery for recovery in found if recovery.purchase_id == purchase_id), None)
    if rest is None:
        await holds.undo(conn, user_id, purchase_id, stays_max=0, reversed_max=0)
        return
    ledger_coins, _ = await balance_of(conn, user_id)
    needed = -ledger_coins - sum(recovery.covered for recovery in found if recovery is not rest)
    await holds.undo(conn, user_id, purchase_id, stays_max=min(rest.cap, needed), reversed_max=rest.final)


async def _cover(conn: Connection, user_id: str, found: list[Recovery], debt: int) -> bool:
    """Holds what the ledger lacks and nothing stands for yet, and takes back what is lost; whether there is more."""
    wanted, more = [], False
    needed = debt - sum(recovery.covered for recovery in found)
    if needed > 0:
        gifts = await holds.newest_gifts(conn, user_id)
        wanted = allot(gifts, found, needed)
        more = len(gifts) == holds.GIFTS_PER_PASS_MAX and sum(hold.coins for hold in wanted) < needed
    if wanted:
        await holds.place(conn, user_id, wanted)
    due = {recovery.purchase_id: recovery.due for recovery in found if recovery.due}
    if due:
        await holds.reverse(conn, user_id, due)
    return more


def allot(gifts: list[Spent], found: list[Recovery], needed: int) -> list[Hold]:
    """Which part of which gift is held for which purchase: the newest gifts for the oldest recovery first.

    A gift that is held in part gives its share of diamonds, rounded down.
    """
    made: list[Hold] = []
    queue = [(recovery.purchase_id, recovery.cap - recovery.covered) for recovery in found]
    queue = [(purchase_id, room) for purchase_id, room in queue if room > 0]
    for gift in gifts:
        coins_left, diamonds_left = gift.coins, gift.diamonds
        while coins_left and needed > 0 and queue:
            purchase_id, room = queue[0]
            coins = min(coins_left, needed, room)
            diamonds = diamonds_left * coins // coins_left
            made.append(Hold(purchase_id, gift, coins, diamonds))
            coins_left, diamonds_left, needed = coins_left - coins, diamonds_left - diamonds, needed - coins
            queue[0] = (purchase_id, room - coins)
            if room == coins:
                queue.pop(0)
    return made
