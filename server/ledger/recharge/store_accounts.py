"""The account of a buyer as the app stores know it: an id that an app passes along with a payment."""

import uuid

from server.stores.postgres import Connection

_NAMESPACE = uuid.UUID("5b8f3f0e-6f0c-4a9e-9a55-0d6a3a6c2b11")
"""Ours alone: the same user gets the same account."""


def account_of(user_id: str) -> str:
    """A user's account for the stores; says nothing about the user."""
    return str(uuid.uuid5(_NAMESPACE, user_id))


async def remember(conn: Connection, user_id: str) -> str:
    """A user's account for the stores, from now on known by it."""
    account = account_of(user_id)
    await conn.execute(
        "INSERT INTO store_accounts (token, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING", account, user_id
    )
    return account


async def user_of(conn: Connection, account: str) -> str | None:
    """Whose account this is."""
    try:
        token = uuid.UUID(account)
    except ValueError:
        return None
    found: str | None = await conn.fetchval("SELECT user_id FROM store_accounts WHERE token = $1", token)
    return found
