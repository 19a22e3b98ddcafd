"""From a code to a confirmation, and from a confirmation to what it confirms."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

import structlog

from server.domain.errors import Code, Refusal
from server.economy.sealing import SealBrokenError, Sealer
from server.economy.step_up import recovery, totp
from server.ledger import step_up as ledger
from server.ledger.step_up import Held
from server.stores.postgres import Connection, Pool

log = structlog.get_logger()

CONFIRMATION_S = 300.0
"""How long a confirmation can be used."""
WRONG_MAX = 5
"""Wrong codes in a row before none is looked at for a while; each further WRONG_MAX double that while."""
LOCKED_S = 900.0
LOCKED_S_MAX = 86_400.0

NOT_ENROLLED = "Set up an authenticator app for this account first."
WRONG = "This code is not right, or it was used already."


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a right code was exchanged for; good once, until expires_at."""

    token: str
    expires_at: datetime


async def confirm(conn: Connection, user_id: str, code: str | None) -> None:
    """Takes a confirmation in the caller's transaction: it is used up only if that commits.

    code: the `confirmation` that the user got from `exchange`. Raises Refusal (step_up_required).
    """
    if code is not None and await ledger.use_confirmation(conn, user_id, _digest(code)):
        return
    held = await ledger.find(conn, user_id)
    raise Refusal(Code.STEP_UP_REQUIRED, None if held is not None and held.enrolled else NOT_ENROLLED)


async def exchange(pool: Pool, sealer: Sealer, user_id: str, code: str, at_s: float) -> Confirmation:
    """Takes a code of the app, or a recovery code, and answers a confirmation.

    at_s: now, in seconds since the epoch. Raises Refusal: step_up_required for a wrong code, a used one and where no
    app is set up, rate_limited after too many wrong ones.
    """
    async with pool.acquire() as conn, conn.transaction():
        held = await ledger.find(conn, user_id, lock=True)
        if held is None or not held.enrolled:
            raise Refusal(Code.STEP_UP_REQUIRED, NOT_ENROLLED)
        if await take_code(conn, sealer, user_id, held, code, at_s):
            return await new_confirmation(conn, user_id)
    raise Refusal(Code.STEP_UP_REQUIRED, WRONG)


async def new_confirmation(conn: Connection, user_id: str) -> Confirmation:
    """A confirmation, for a code that was taken in the caller's transaction."""
    token = secrets.token_urlsafe(24)
    return Confirmation(token, await ledger.add_confirmation(conn, user_id, _digest(token), CONFIRMATION_S))


async def take_code(conn: Connection, sealer: Sealer, user_id: str, held: Held, code: str, at_s: float) -> bool:  # noqa: PLR0917
    """Whether a code is right, and was never taken before; a wrong one is counted.

    held: the user's row, locked. The caller commits also when the code is wrong. Raises Refusal when no code was looked
    at: rate_limited after too many wrong ones, unavailable when the app's secret cannot be opened.
    """
    if held.locked:
        assert held.locked_until is not None
        raise Refusal(
            Code.RATE_LIMITED,
            "There were too many wrong codes.",
            retry_ms=max(1, round(1000 * (held.locked_until.timestamp() - at_s))),
        )
    digest = recovery.digest_of(code)
    if digest is not None:
        if held.enrolled and await ledger.use_recovery_code(conn, user_id, digest):
            await ledger.took_code(conn, user_id, held.used_step)
            return True
    elif code.isascii() and code.isdigit() and len(code) == totp.DIGITS:
        try:
            secret = sealer.unseal(held.secret)
        except SealBrokenError:
            log.exception("an authenticator app cannot be used any more")
            raise Refusal(Code.UNAVAILABLE, "This app cannot be checked any more; use a recovery code.") from None
        step = totp.matching_step(secret, code, at_s, after=held.used_step)
        if step is not None:
            await ledger.took_code(conn, user_id, step, sealer.seal(secret) if sealer.is_old(held.secret) else None)
            return True
    wrong = held.wrong + 1
    await ledger.count_wrong(conn, user_id, wrong, None if wrong % WRONG_MAX else _locked_s(wrong))
    return False


def _locked_s(wrong: int) -> float:
    return min(LOCKED_S * 2.0 ** min(wrong // WRONG_MAX - 1, 16), LOCKED_S_MAX)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
