"""What follows from a purchase that is credited: its promised bonus, and the reward of who invited its buyer."""

from server.ledger.earning import deals, referrals
from server.stores.postgres import Connection


async def on_purchase(conn: Connection, purchase_id: str, user_id: str) -> list[str]:
    """Call in the transaction that credits a purchase, after the credit; once or often, it happens once.

    Answers the users whose balances and notices changed, for the caller to bring up to date after the commit. Both
    sides of a referral are rewarded a moment later, by the worker: no transaction credits two users.
    """
    await referrals.qualify(conn, user_id, purchase_id)
    return [user_id] if await deals.keep(conn, purchase_id, user_id) else []
