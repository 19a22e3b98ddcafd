"""Setting up an authenticator app, and taking it away again."""

from dataclasses import dataclass

from server.domain.errors import Code, Refusal
from server.economy.sealing import Sealer
from server.economy.step_up import recovery, totp
from server.economy.step_up.confirming import NOT_ENROLLED, WRONG, Confirmation, confirm, new_confirmation, take_code
from server.ledger import step_up as ledger
from server.ledger.notices import notify
from server.stores.postgres import Pool


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an app needs; told once. uri: the same as an address for a QR code."""

    secret: str
    uri: str


async def begin(pool: Pool, sealer: Sealer, user_id: str, account: str) -> Enrolment:
    """A fresh secret, in place of one whose enrolment was not finished. account: the name that the app shows.

    Raises Refusal (conflict) when an app is set up already.
    """
    secret = totp.new_secret()
    async with pool.acquire() as conn, conn.transaction():
        if not await ledger.begin(conn, user_id, sealer.seal(secret)):
            raise Refusal(Code.CONFLICT, "An authenticator app is set up already; take it away first.")
    return Enrolment(secret, totp.provisioning_uri(secret, account))


async def finish(pool: Pool, sealer: Sealer, user_id: str, code: str, at_s: float) -> tuple[list[str], Confirmation]:
    """Ends an enrolment with a first right code; answers the recovery codes, which nobody can read again.

    That code also makes a confirmation, so that whoever was asked for one and had no app need not wait for the next.
    Raises Refusal: conflict when none was begun, step_up_required for a wrong code, rate_limited.
    """
    async with pool.acquire() as conn, conn.transaction():
        held = await ledger.find(conn, user_id, lock=True)
        if held is None or held.enrolled:
            raise Refusal(Code.CONFLICT, "No enrolment was begun.")
        if await take_code(conn, sealer, user_id, held, code, at_s):
            codes = recovery.new_codes()
            await ledger.replace_recovery_codes(conn, user_id, _digests(codes))
            await notify(conn, user_id, "security", "An authenticator app was set up for your account.")
            return codes, await new_confirmation(conn, user_id)
    raise Refusal(Code.STEP_UP_REQUIRED, WRONG)


async def renew_recovery_codes(pool: Pool, user_id: str, confirmation: str | None) -> list[str]:
    """New recovery codes in place of the old ones. Raises Refusal (step_up_required)."""
    codes = recovery.new_codes()
    async with pool.acquire() as conn, conn.transaction():
        await confirm(conn, user_id, confirmation)
        if await ledger.find(conn, user_id, lock=True) is None:
            raise Refusal(Code.STEP_UP_REQUIRED, NOT_ENROLLED)
        await ledger.replace_recovery_codes(conn, user_id, _digests(codes))
        await notify(conn, user_id, "security", "New recovery codes were made for your account.")
    return codes


async def remove(pool: Pool, user_id: str, confirmation: str | None) -> None:
    """Takes the app away: money that needs a confirmation stays until another is set up.

    Raises Refusal (step_up_required).
    """
    async with pool.acquire() as conn, conn.transaction():
        await confirm(conn, user_id, confirmation)
        await ledger.remove(conn, user_id)
        await notify(conn, user_id, "security", "The authenticator app of your account was taken away.")


def _digests(codes: list[str]) -> list[bytes]:
    digests = [recovery.digest_of(code) for code in codes]
    return [digest for digest in digests if digest is not None]
