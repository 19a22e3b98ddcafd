"""Cash-out over HTTP: confirmed, idempotent, masked, and decided about by admins who are not its creator."""

from __future__ import annotations

import asyncio
from typing import Any

from server.economy import step_up
from server.economy.sealing import Sealer
from server.economy.step_up import totp
from server.settings import Settings
from tests.economy.creators import CHANGES, IBAN, Till, till_on
from tests.ledger.stage import CREATOR
from tests.web.conftest import StartGateway
from tests.web.gateways import Gateway

NOW_S = 1_800_000_000.0


async def confirmations(settings: Settings, till: Till, wanted: int) -> list[str]:
    """Confirmations of the creator's: the first of the app's code, the others of recovery codes."""
    pool, sealer = till.stage.pool, Sealer(settings, "step-up")
    secret = (await step_up.begin(pool, sealer, CREATOR, "Cara")).secret
    codes, first = await step_up.finish(pool, sealer, CREATOR, totp.code_at(secret, totp.step_of(NOW_S)), NOW_S)
    others = [await step_up.exchange(pool, sealer, CREATOR, code, NOW_S) for code in codes[: wanted - 1]]
    return [first.token, *(other.token for other in others)]


async def ask(gateway: Gateway, confirmation: str | None, method: str, key: str, diamonds: int = 4_000) -> Any:
    body = {"method": method, "diamonds": diamonds, "confirmation": confirmation}
    return await gateway.post("/creator/payouts", body, gateway.token(CREATOR, "creator"), **{"Idempotency-Key": key})


async def test_a_cash_out_from_the_first_account_to_the_decision(
    settings: Settings, start_gateway: StartGateway
) -> None:
    async with till_on(settings) as till:
        await till.earn(20_000)
        changes = {name: value for name, value in CHANGES.items() if name.startswith("payout")}
        one, two = await start_gateway(admin=True, **changes), await start_gateway(admin=True, **changes)
        creator, admin = one.token(CREATOR, "creator"), one.token("ada", "admin")

        status, method = await one.post(
            "/creator/payout-methods", {"kind": "bank", "holder": " Cara  Doe ", "destination": IBAN}, creator
        )
        assert (status, method["holder"], method["destination"]) == (201, "Cara Doe", "DE…3000")
        _, terms = await one.get("/creator/cash-out", creator)
        assert (terms["open"], terms["step_up"], terms["rate"]) == (True, False, "1/2")
        assert terms["diamonds"] == {"available": 20_000, "held": 0, "paid": 0, "maturing": 0, "payable": 20_000}
        assert terms["worth"] == {"amount": 10_000, "currency": "USD"}
        assert [each["id"] for each in terms["methods"]] == [till.method, method["id"]]

        status, problem = await ask(one, None, method["id"], "key-1")
        assert (status, problem["code"]) == (403, "step_up_required")
        first, second, third = await confirmations(settings, till, 3)
        answers = await asyncio.gather(*(ask(gateway, first, method["id"], "key-1") for gateway in (one, two) * 4))
        assert {status for status, _ in answers} == {201}
        made = {answer["payout"]["id"] for _, answer in answers}
        assert len(made) == 1, "one key, one payout"
        status, problem = await ask(one, second, method["id"], "key-1")
        assert (status, problem["code"]) == (409, "idempotency_conflict")
        status, problem = await ask(one, first, method["id"], "key-2")
        assert (status, problem["code"]) == (403, "step_up_required"), "a confirmation is good once"
        status, problem = await ask(one, second, method["id"], "key-3", diamonds=900_000)
        assert (status, problem["code"]) == (409, "conflict")
        status, _ = await ask(one, second, method["id"], "key-4")
        assert status == 201, "a refused request used no confirmation up"

        payout = made.pop()
        _, details = await one.get(f"/creator/payouts/{payout}", creator)
        assert [event["state"] for event in details["events"]] == ["requested", "held"]
        assert details["payout"]["money"] == {"amount": 2_000, "currency": "USD"}
        assert details["payout"]["method"]["destination"] == "DE…3000"
        assert (await one.get(f"/creator/payouts/{payout}", one.token("bob")))[0] == 404
        _, page = await one.get("/creator/payouts", creator, limit=1)
        assert page["payouts"][0]["id"] != payout
        _, page = await one.get("/creator/payouts", creator, cursor=page["next"])
        assert [each["id"] for each in page["payouts"]] == [payout]

        await till.driver().drive()
        _, cases = await two.get("/admin/payouts", admin)
        assert {case["payout"]["id"] for case in cases["cases"]} >= {payout}
        assert cases["cases"][0]["flags"] == ["first_payout"]
        _, details = await one.get(f"/creator/payouts/{payout}", creator)
        assert details["events"][-1] == {**details["events"][-1], "state": "review", "detail": None}
        assert (await one.post(f"/admin/payouts/{payout}/approval", None, creator))[0] == 403
        assert (await one.post(f"/admin/payouts/{payout}/approval", None, admin))[0] == 200
        status, refused = await one.post(f"/admin/payouts/{payout}/refusal", {"reason": "A look-alike."}, admin)
        assert (status, refused["payout"]["state"]) == (200, "failed")
        status, _ = await one.call("DELETE", f"/creator/payout-methods/{method['id']}", creator)
        assert status == 200
        assert (await ask(one, third, method["id"], "key-5"))[0] == 404


async def test_a_server_that_pays_nobody_says_so(start_gateway: StartGateway) -> None:
    gateway = await start_gateway()
    status, terms = await gateway.get("/creator/cash-out", gateway.token(CREATOR))
    assert (status, terms["open"], terms["eligibility"]["eligible"]) == (200, False, False)
    assert (await gateway.get("/admin/payouts", gateway.token("ada", "admin")))[0] == 404
