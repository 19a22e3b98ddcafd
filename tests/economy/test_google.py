"""Google Play: pushes with verified tokens, purchases looked up, one credit for each order, bound to its account."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.ledger.audit import audit
from tests.economy.play_stand_in import AUDIENCE, EMAIL, PACKAGE, PlayStandIn, play_stand_in
from tests.economy.till import Till, grow_up
from tests.ledger.stage import stage_on
from tests.web.conftest import StartGateway
from tests.web.gateways import Gateway
from tests.web.key_server import Signer

TOKEN = "purchase-token.AO-J1Oz_x"


@pytest.fixture
async def play() -> AsyncIterator[PlayStandIn]:
    async with play_stand_in() as made:
        yield made


@pytest.fixture
async def shop(start_gateway: StartGateway, play: PlayStandIn, tmp_path: Path) -> Gateway:
    gateway = await start_gateway(
        google_package=PACKAGE,
        google_credentials=play.credentials(tmp_path),
        google_push_audience=AUDIENCE,
        google_push_email=EMAIL,
        google_keys_url=play.keys.url,
        google_api_url=play.url,
    )
    await grow_up(gateway.settings, "ann", "bob")
    return gateway


def bought(account: str, **changes: Any) -> dict[str, Any]:
    """A purchase of 1,400 coins as Google Play answers it."""
    return {
        "orderId": "GPA.1", "purchaseState": 0, "quantity": 1, "obfuscatedExternalAccountId": account,
        "regionCode": "PT", "acknowledgementState": 0,
    } | changes  # fmt: skip


async def begun(shop: Gateway, token: str) -> dict[str, Any]:
    status, purchase = await shop.post("/purchases", {"package": "android_1400", "version": 1}, token)
    assert status == 201, purchase
    return dict(purchase)


CHANGED = {"oneTimeProductNotification": {"version": "1.0", "notificationType": 1, "purchaseToken": TOKEN, "sku": "android_1400"}}  # fmt: skip  # noqa: E501
VOIDED = {"voidedPurchaseNotification": {"purchaseToken": TOKEN, "orderId": "GPA.1", "productType": 2, "refundType": 1}}


async def test_a_push_is_looked_up_and_credits_once_and_the_order_is_consumed(shop: Gateway, play: PlayStandIn) -> None:
    token = shop.token("ann")
    purchase = await begun(shop, token)
    play.purchases[TOKEN] = bought(purchase["account"], purchaseState=2, orderId=None)
    assert (await shop.post("/webhooks/google", play.push(CHANGED), None, **play.authorization()))[0] == 200
    assert (await shop.get(f"/purchases/{purchase['id']}", token))[1]["status"] == "pending"
    play.purchases[TOKEN] = bought(purchase["account"])
    for number in ("2", "3"):
        push = play.push(CHANGED, number)
        assert (await shop.post("/webhooks/google", push, None, **play.authorization()))[0] == 200
    assert (await shop.post("/receipts", {"package": "android_1400", "receipt": TOKEN}, token))[0] == 200
    assert (await shop.get("/wallet", token))[1]["coins"] == 1400
    assert (await shop.get(f"/purchases/{purchase['id']}", token))[1]["transaction"] == "GPA.1"
    assert play.logins == 1
    async with stage_on(shop.settings) as stage:
        till = Till.on(stage)
        play.down = True
        await till.sweeper.sweep()
        play.down = False
        await till.sweeper.sweep()
        await till.sweeper.sweep()
    assert play.consumed == [TOKEN]
    assert (await audit(shop.settings)).ok


async def test_a_voided_order_takes_the_coins_back(shop: Gateway, play: PlayStandIn) -> None:
    token = shop.token("ann")
    purchase = await begun(shop, token)
    play.purchases[TOKEN] = bought(purchase["account"])
    for said, number, coins in ((VOIDED, "1", 0), (CHANGED, "2", 0), (VOIDED, "3", 0)):
        assert (await shop.post("/webhooks/google", play.push(said, number), None, **play.authorization()))[0] == 200
        assert (await shop.get("/wallet", token))[1]["coins"] == coins
    assert (await shop.get(f"/purchases/{purchase['id']}", token))[1]["status"] == "refunded"
    assert (await audit(shop.settings)).ok


async def test_a_purchase_token_is_good_for_its_own_account_alone(shop: Gateway, play: PlayStandIn) -> None:
    ann, bob = shop.token("ann"), shop.token("bob")
    purchase = await begun(shop, ann)
    await begun(shop, bob)
    play.purchases[TOKEN] = bought(purchase["account"])
    receipt = {"package": "android_1400", "receipt": TOKEN}
    assert (await shop.post("/receipts", receipt, bob))[0] == 403
    assert (await shop.post("/receipts", receipt, ann))[0] == 200
    assert (await shop.post("/receipts", receipt | {"receipt": "unknown"}, ann))[0] == 400
    play.down = True
    assert (await shop.post("/receipts", receipt, ann))[0] == 503
    assert (await shop.get("/wallet", bob))[1]["coins"] == 0


async def test_a_push_that_google_did_not_sign_for_us_is_not_believed(shop: Gateway, play: PlayStandIn) -> None:
    purchase = await begun(shop, shop.token("ann"))
    play.purchases[TOKEN] = bought(purchase["account"])
    wrong = [
        {},
        {"Authorization": "Bearer nonsense"},
        play.authorization(Signer("pusher", "RS256")),
        play.authorization(Signer("unknown", "RS256")),
        play.authorization(aud="https://elsewhere.example"),
        play.authorization(iss="https://elsewhere.example"),
        play.authorization(email="somebody@example"),
        play.authorization(email_verified=False),
        play.authorization(exp=1),
    ]
    for headers in wrong:
        assert (await shop.post("/webhooks/google", play.push(CHANGED), None, **headers))[0] == 401, headers
    good = play.authorization()
    assert (await shop.post("/webhooks/google", play.push({"packageName": "other"}), None, **good))[0] == 401
    assert (await shop.post("/webhooks/google", {"message": {"data": "?", "messageId": "1"}}, None, **good))[0] == 401
    assert (await shop.post("/webhooks/google", play.push({"testNotification": {}}), None, **good))[0] == 200
    play.down = True
    assert (await shop.post("/webhooks/google", play.push(CHANGED), None, **good))[0] == 503
    assert (await shop.get("/wallet", shop.token("ann")))[1]["coins"] == 0
