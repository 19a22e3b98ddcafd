"""Who invited whom, and which rewards of that are due."""

import secrets
from dataclasses import dataclass
from typing import Literal

from server.domain.errors import Code, Refusal
from server.ledger.earning.rewards import book_reward, has_bought, lock_user
from server.stores.postgres import Connection, Pool

CODE_CHARS = 8
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without what is taken for another character when it is read out."""
CHAIN_MAX = 1_000
"""How far back a chain of invitations is followed; past that no code is taken."""
ONE_DEVICE_USERS_MAX = 3
"""Accounts that come from one address with one program: up to here it is taken for somebody's own device, past that for
an office or a proxy, which says nothing."""
CAP_DAYS = 30
DUE_AT_ONCE_MAX = 100

Side = Literal["invited", "inviter"]


@dataclass(frozen=True, slots=True)
class Standing:
    """A user's referrals. invited_by, inviter_name: who invited the user; rewarded: invitations that were rewarded."""

    code: str
    invited_by: str | None
    inviter_name: str | None
    reward: str | None
    invited: int
    rewarded: int


@dataclass(frozen=True, slots=True)
class Due:
    """A reward that one side of a referral is to get."""

    invited_id: str
    inviter_id: str
    side: Side

    @property
    def user_id(self) -> str:
        """Who gets it."""
        return self.invited_id if self.side == "invited" else self.inviter_id


async def code_of(conn: Connection, user_id: str) -> str:
    """The code by which a user invites others; made when it is first asked for."""
    while True:
        made = "".join(secrets.choice(_ALPHABET) for _ in range(CODE_CHARS))
        await conn.execute(
            "INSERT INTO referral_codes (code, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING", made, user_id
        )
        code: str | None = await conn.fetchval("SELECT code FROM referral_codes WHERE user_id = $1", user_id)
        if code is not None:
            return code


async def standing(conn: Connection, user_id: str) -> Standing:
    """A user's code, who invited them, and what came of their own invitations."""
    code = await code_of(conn, user_id)
    mine = await conn.fetchrow(
        """
        SELECT inviter_id, coalesce(name, inviter_id), invited_reward
        FROM referrals LEFT JOIN users ON users.id = inviter_id WHERE invited_id = $1
        """,
        user_id,
    )
    counts = await conn.fetchrow(
        """
        SELECT count(*) AS invited, count(*) FILTER (WHERE inviter_reward = 'given') AS rewarded
        FROM referrals WHERE inviter_id = $1
        """,
        user_id,
    )
    assert counts is not None
    invited_by, inviter_name, reward = (None, None, None) if mine is None else tuple(mine)
    return Standing(code, invited_by, inviter_name, reward, counts["invited"], counts["rewarded"])


async def enter(conn: Connection, invited_id: str, code: str, *, look_at_devices: bool) -> str:
    """Notes who invited a user, in the caller's transaction; answers the inviter.

    look_at_devices: an inviter who comes from the same device is taken for the same person.

    Raises Refusal: not_found for no such code, conflict when there is an inviter already, not_eligible after the first
    purchase, for one's own code, also under another account that is paid out to the same place, and for one of somebody
    whom the user invited, however far down.
    """
    # One after the other: who is whose inviter must not change while a chain is followed.
    await conn.execute("SELECT pg_advisory_xact_lock(hashtext('referrals'))")
    await lock_user(conn, invited_id)
    inviter_id: str | None = await conn.fetchval("SELECT user_id FROM referral_codes WHERE code = $1", code)
    if inviter_id is None:
        raise Refusal(Code.NOT_FOUND, "Nobody invites with this code.")
    if inviter_id == invited_id:
        raise Refusal(Code.NOT_ELIGIBLE, "This is your own code.")
    if await conn.fetchval("SELECT EXISTS (SELECT FROM referrals WHERE invited_id = $1)", invited_id):
        raise Refusal(Code.CONFLICT, "You have entered a code before.")
    if await has_bought(conn, invited_id):
        raise Refusal(Code.NOT_ELIGIBLE, "A code is entered before the first purchase.")
    if await _one_person(conn, inviter_id, invited_id):
        raise Refusal(Code.NOT_ELIGIBLE, "This is the code of another account of yours.")
    if look_at_devices and await _one_device(conn, inviter_id, invited_id):
        raise Refusal(Code.NOT_ELIGIBLE, "This is the code of an account that is used on this device.")
    if await _leads_to(conn, inviter_id, invited_id):
        raise Refusal(Code.NOT_ELIGIBLE, "You invited this person, or somebody who did.")
    await conn.execute("INSERT INTO referrals (invited_id, inviter_id) VALUES ($1, $2)", invited_id, inviter_id)
    return inviter_id


async def _leads_to(conn: Connection, user_id: str, ancestor_id: str) -> bool:
    """Whether a user was invited by another one, directly or not; True past CHAIN_MAX."""
    found: bool = await conn.fetchval(
        """
        WITH RECURSIVE chain (user_id, steps) AS (
            SELECT $1::text, 0
            UNION ALL
            SELECT inviter_id, steps + 1 FROM referrals JOIN chain ON invited_id = user_id WHERE steps < $3
        )
        SELECT bool_or(user_id = $2 OR steps >= $3) FROM chain
        """,
        user_id,
        ancestor_id,
        CHAIN_MAX,
    )
    return found


async def _one_person(conn: Connection, user_id: str, other_id: str) -> bool:
    """Whether two accounts were ever paid out to the same place."""
    found: bool = await conn.fetchval(
        """
        SELECT EXISTS (
            SELECT FROM payout_methods AS one JOIN payout_methods AS other USING (fingerprint)
            WHERE one.creator_id = $1 AND other.creator_id = $2
        )
        """,
        user_id,
        other_id,
    )
    return found


async def _one_device(conn: Connection, user_id: str, other_id: str) -> bool:
    """Whether two accounts came from one address with one program that few others share."""
    found: bool = await conn.fetchval(
        """
        SELECT EXISTS (
            SELECT FROM logins AS one JOIN logins AS other USING (address, agent)
            WHERE one.user_id = $1 AND other.user_id = $2 AND $3::bigint >= (
                SELECT count(*) FROM (
                    SELECT FROM logins WHERE (address, agent) = (one.address, one.agent) LIMIT $3::bigint + 1
                ) AS sharing
            )
        )
        """,
        user_id,
        other_id,
        ONE_DEVICE_USERS_MAX,
    )
    return found


async def qualify(conn: Connection, invited_id: str, purchase_id: str) -> None:
    """Notes the first purchase of somebody who was invited, in the transaction that credits it."""
    await conn.execute(
        """
        UPDATE referrals
        SET purchase_id = $2, qualified_at = now(), invited_reward = 'due', inviter_reward = 'due'
        WHERE invited_id = $1 AND qualified_at IS NULL
        """,
        invited_id,
        purchase_id,
    )


async def due(pool: Pool) -> list[Due]:
    """Rewards that are due, the longest waiting first, a bounded number of them."""
    rows = await pool.fetch(
        """
        SELECT invited_id, inviter_id, invited_reward, inviter_reward FROM referrals
        WHERE invited_reward = 'due' OR inviter_reward = 'due' ORDER BY qualified_at LIMIT $1
        """,
        DUE_AT_ONCE_MAX,
    )
    sides: tuple[Side, ...] = ("invited", "inviter")
    return [
        Due(row["invited_id"], row["inviter_id"], side)
        for row in rows
        for side in sides
        if row[f"{side}_reward"] == "due"
    ]


async def reward(conn: Connection, one: Due, coins: int, *, per_month_max: int) -> bool:
    """Gives one side its reward in the caller's transaction, once; an inviter not past the cap of CAP_DAYS.

    Neither is rewarded if both turned out to be one person. Answers whether there are coins.
    """
    await lock_user(conn, one.user_id)
    given = await conn.fetchval(
        "SELECT count(*) FROM referrals WHERE inviter_id = $1 AND inviter_reward = 'given'"
        " AND qualified_at > now() - make_interval(days => $2)",
        one.user_id,
        CAP_DAYS,
    )
    outcome = "capped" if one.side == "inviter" and given >= per_month_max else "given"
    if await _one_person(conn, one.invited_id, one.inviter_id):
        outcome = "refused"
    column = f"{one.side}_reward"
    status = await conn.execute(
        f"UPDATE referrals SET {column} = $2 WHERE invited_id = $1 AND {column} = 'due'",  # noqa: S608 - one of two
        one.invited_id,
        outcome,
    )
    if outcome != "given" or status.endswith(" 0"):
        return False
    message = "Welcome: you came by an invitation" if one.side == "invited" else "Somebody you invited bought coins"
    return await book_reward(conn, one.user_id, coins, "referral", f"{one.invited_id}:{one.side}", message)
