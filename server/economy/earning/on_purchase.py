"""What a purchase brings along besides its coins: called inside the transaction that credits it."""

from server.stores.postgres import Connection


async def on_purchase(  # noqa: PLR0917
    conn: Connection,  # noqa: ARG001
    purchase_id: str,  # noqa: ARG001
    user_id: str,  # noqa: ARG001
    coins: int,  # noqa: ARG001
    amount_minor: int,  # noqa: ARG001
    currency: str,  # noqa: ARG001
    region: str,  # noqa: ARG001
    platform: str,  # noqa: ARG001
) -> list[str]:
    """Books bonus coins and rewards of a purchase; answers the users whose balances changed.

    Nothing is given along with a purchase as long as no promotion is there that says so.
    """
    return []
