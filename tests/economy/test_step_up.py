"""A code of an authenticator app confirms once; wrong ones run into a lock; nothing secret can be read anywhere."""

from __future__ import annotations

import asyncio
import re
import time
from base64 import b32encode
from dataclasses import dataclass, replace
from typing import Any

import pytest

from server.domain.errors import Code, Refusal
from server.economy import step_up
from server.economy.sealing import Sealer
from server.economy.step_up import totp
from server.economy.step_up.confirming import WRONG_MAX
from server.ledger import step_up as ledger
from server.settings import Settings
from server.stores.postgres import Pool
from tests.web.gateways import Gateway

ANN = "ann"
NOW_S = time.time()


@dataclass
class App:
    """An authenticator app, and the account that it is set up for."""

    pool: Pool
    sealer: Sealer
    secret: str = ""
    recovery_codes: list[str] = None  # type: ignore[assignment]

    def code(self, steps: int = 0) -> str:
        return totp.code_at(self.secret, totp.step_of(NOW_S) + steps)

    async def exchange(self, code: str, steps: int = 0) -> str:
        """The confirmation for a code shown so many steps from now."""
        made = await step_up.exchange(self.pool, self.sealer, ANN, code, NOW_S + steps * totp.STEP_S)
        return made.token

    async def confirm(self, token: str | None, user: str = ANN) -> None:
        async with self.pool.acquire() as conn, conn.transaction():
            await step_up.confirm(conn, user, token)


@pytest.fixture
async def app(pool: Pool, settings: Settings) -> App:
    """An app that was set up with the code of the step before this one."""
    app = App(pool, Sealer(settings, "step-up"))
    app.secret = (await step_up.begin(pool, app.sealer, ANN, "Ann")).secret
    app.recovery_codes, _ = await step_up.finish(pool, app.sealer, ANN, app.code(-1), NOW_S)
    return app


async def refused(code: Code, asked: Any) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        await asked
    assert refusal.value.code is code, refusal.value
    return refusal.value


@pytest.mark.parametrize(
    ("at_s", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_rfc_6238(at_s: int, code: str) -> None:
    """The vectors of its appendix B for SHA-1, of which six digits are shown."""
    secret = b32encode(b"12345678901234567890").decode()
    assert totp.code_at(secret, totp.step_of(at_s)) == code
    assert totp.matching_step(secret, code, at_s, after=0) == at_s // 30


async def test_a_code_is_taken_once_however_many_ask_at_once(app: App) -> None:
    tries = await asyncio.gather(*(app.exchange(app.code()) for _ in range(16)), return_exceptions=True)
    assert sum(isinstance(found, str) for found in tries) == 1, tries


async def test_no_code_is_taken_twice_nor_an_older_one_after_a_newer(app: App) -> None:
    await refused(Code.STEP_UP_REQUIRED, app.exchange(app.code(-1)))
    await app.exchange(app.code(1))
    await refused(Code.STEP_UP_REQUIRED, app.exchange(app.code(1), steps=1))
    await refused(Code.STEP_UP_REQUIRED, app.exchange(app.code()))
    await refused(Code.STEP_UP_REQUIRED, app.exchange(app.code(3), steps=1))
    assert await app.exchange(app.code(2), steps=3)


async def test_a_confirmation_is_used_up_only_by_what_was_done(app: App) -> None:
    token = await app.exchange(app.code())
    await refused(Code.STEP_UP_REQUIRED, app.confirm(None))
    await refused(Code.STEP_UP_REQUIRED, app.confirm(token, "bob"))
    async with app.pool.acquire() as conn:
        given_up = conn.transaction()
        await given_up.start()
        await step_up.confirm(conn, ANN, token)
        await given_up.rollback()
    tries = await asyncio.gather(*(app.confirm(token) for _ in range(6)), return_exceptions=True)
    assert tries.count(None) == 1
    late = await app.exchange(app.code(1))
    await app.pool.execute("UPDATE confirmations SET expires_at = now() - interval '1 s'")
    await refused(Code.STEP_UP_REQUIRED, app.confirm(late))
    await app.pool.execute("UPDATE confirmations SET expires_at = now() - interval '2 days' WHERE used_at IS NOT NULL")
    assert await ledger.forget_confirmations(app.pool) == 1


async def test_each_recovery_code_is_good_once_and_new_ones_replace_them(app: App) -> None:
    assert len(set(app.recovery_codes)) == 10
    first = app.recovery_codes[0]
    tries = await asyncio.gather(*(app.exchange(first) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(found, str) for found in tries) == 1
    token = await app.exchange(app.recovery_codes[1].upper().replace("-", " "))
    fresh = await step_up.renew_recovery_codes(app.pool, ANN, token)
    assert not set(fresh) & set(app.recovery_codes)
    await refused(Code.STEP_UP_REQUIRED, app.exchange(app.recovery_codes[2]))
    assert await app.exchange(fresh[0])


async def test_wrong_codes_lock_all_codes_for_a_while_and_then_for_twice_as_long(app: App) -> None:
    tries = await asyncio.gather(*(app.exchange("not a code") for _ in range(12)), return_exceptions=True)
    codes = [found.code for found in tries if isinstance(found, Refusal)]
    assert codes.count(Code.STEP_UP_REQUIRED) == WRONG_MAX
    assert codes.count(Code.RATE_LIMITED) == 12 - WRONG_MAX
    locked = await refused(Code.RATE_LIMITED, app.exchange(app.code()))
    assert locked.retry_ms is not None
    assert 890_000 < locked.retry_ms <= 905_000 + 1000 * (time.time() - NOW_S)
    await refused(Code.RATE_LIMITED, app.exchange(app.recovery_codes[0]))
    await app.pool.execute("UPDATE step_up SET locked_until = now()")
    for _ in range(WRONG_MAX):
        await refused(Code.STEP_UP_REQUIRED, app.exchange("000-000"))
    twice = (await refused(Code.RATE_LIMITED, app.exchange(app.code()))).retry_ms
    assert twice is not None
    assert twice > 1_790_000
    await app.pool.execute("UPDATE step_up SET locked_until = now()")
    assert await app.exchange(app.code())
    assert await app.pool.fetchval("SELECT wrong FROM step_up") == 0


async def test_an_enrolment_counts_from_its_first_right_code_and_beginning_anew_frees_nobody(
    pool: Pool, settings: Settings
) -> None:
    app = App(pool, Sealer(settings, "step-up"))
    await refused(Code.CONFLICT, step_up.finish(pool, app.sealer, ANN, "123456", NOW_S))
    abandoned = (await step_up.begin(pool, app.sealer, ANN, "Ann")).secret
    app.secret = (await step_up.begin(pool, app.sealer, ANN, "Ann")).secret
    stale = totp.code_at(abandoned, totp.step_of(NOW_S))
    await refused(Code.STEP_UP_REQUIRED, step_up.finish(pool, app.sealer, ANN, stale, NOW_S))
    await refused(Code.STEP_UP_REQUIRED, app.exchange(app.code()))
    await step_up.begin(pool, app.sealer, ANN, "Ann")
    assert await pool.fetchval("SELECT wrong FROM step_up") == 1
    app.secret = (await step_up.begin(pool, app.sealer, ANN, "Ann")).secret
    _, first = await step_up.finish(pool, app.sealer, ANN, app.code(), NOW_S)
    await app.confirm(first.token)
    await refused(Code.CONFLICT, step_up.begin(pool, app.sealer, ANN, "Ann"))
    await step_up.remove(pool, ANN, await app.exchange(app.code(1)))
    await refused(Code.STEP_UP_REQUIRED, app.exchange(app.code(1)))


async def test_what_is_kept_gives_no_secret_away_and_follows_the_servers_key(app: App, settings: Settings) -> None:
    kept = str([await app.pool.fetch(f"SELECT * FROM {table}") for table in ("step_up", "recovery_codes")])
    assert app.secret not in kept
    assert not [code for code in app.recovery_codes if code in kept or code.replace("-", "") in kept]

    changed = replace(settings, token_secret="n" * 40, token_secrets_former=(settings.token_secret,))
    app.sealer = Sealer(changed, "step-up")
    assert await app.exchange(app.code())
    app.sealer = Sealer(replace(changed, token_secrets_former=()), "step-up")
    assert await app.exchange(app.code(1)), "it was sealed anew while the former key was known"
    app.sealer = Sealer(settings, "step-up")
    await refused(Code.UNAVAILABLE, app.exchange(app.code(2), steps=1))
    assert await app.exchange(app.recovery_codes[0])


async def test_an_account_sets_up_an_app_over_http(gateway: Gateway) -> None:
    token = gateway.token(ANN)
    root = "/account/step-up"
    assert await gateway.get(root, token) == (
        200, {"enrolled": False, "recovery_codes_left": 0, "locked_until": None},
    )  # fmt: skip
    status, begun = await gateway.post(root, {}, token)
    assert status == 201
    assert begun["uri"].startswith("otpauth://totp/giftstream:Ann?")
    assert f"secret={begun['secret']}" in begun["uri"]
    assert begun["qr"].startswith("data:image/svg+xml")
    step = totp.step_of(time.time())
    status, shown = await gateway.post(f"{root}/enrolment", {"code": totp.code_at(begun["secret"], step)}, token)
    assert status == 200
    assert all(re.fullmatch(r"(\w{4}-){3}\w{4}", code) for code in shown["recovery_codes"])
    status, made = await gateway.post(f"{root}/confirmations", {"code": totp.code_at(begun["secret"], step + 1)}, token)
    assert status == 201
    assert (await gateway.post(root, {}, token))[0] == 409
    status, fresh = await gateway.post(f"{root}/recovery-codes", {"confirmation": made["confirmation"]}, token)
    assert status == 200
    status, problem = await gateway.post(f"{root}/removal", {"confirmation": made["confirmation"]}, token)
    assert (status, problem["code"]) == (403, "step_up_required")
    _, made = await gateway.post(f"{root}/confirmations", {"code": fresh["recovery_codes"][0]}, token)
    assert (await gateway.get(root, token))[1]["recovery_codes_left"] == 9
    status, state = await gateway.post(f"{root}/removal", {"confirmation": made["confirmation"]}, token)
    assert (status, state["enrolled"]) == (200, False)
