"""Apple's receipts and notifications: signatures up to the root, one credit for each, bound to its account."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from server.economy.recharge.providers.apple_jws import LEAF_PURPOSE, AppleRoot
from server.economy.recharge.providers.provider import BadNotificationError
from server.ledger.audit import audit
from tests.economy.apple_signer import AppleSigner, certify
from tests.economy.till import grow_up
from tests.web.conftest import StartGateway
from tests.web.gateways import Gateway


@pytest.fixture(scope="module")
def apple() -> AppleSigner:
    return AppleSigner()


@pytest.fixture
async def shop(start_gateway: StartGateway, apple: AppleSigner, tmp_path: Path) -> Gateway:
    root = tmp_path / "root.cer"
    root.write_bytes(apple.root.der)
    gateway = await start_gateway(apple_bundle_id="org.example.gifts", apple_root_certificate=str(root))
    await grow_up(gateway.settings, "ann", "bob")
    return gateway


async def begun(shop: Gateway, token: str) -> dict[str, Any]:
    status, purchase = await shop.post("/purchases", {"package": "ios_1400", "version": 1}, token)
    assert status == 201, purchase
    return dict(purchase)


async def hand_over(shop: Gateway, token: str, receipt: str, package: str = "ios_1400") -> tuple[int, dict[str, Any]]:
    return await shop.post("/receipts", {"package": package, "receipt": receipt}, token)


async def coins(shop: Gateway, token: str) -> int:
    return int((await shop.get("/wallet", token))[1]["coins"])


async def test_a_receipt_and_the_notification_of_it_credit_once(shop: Gateway, apple: AppleSigner) -> None:
    token = shop.token("ann")
    purchase = await begun(shop, token)
    receipt = apple.transaction(purchase["account"])
    status, credited = await hand_over(shop, token, receipt)
    assert (status, credited["id"], credited["status"]) == (200, purchase["id"], "credited")
    assert credited["transaction"] == "2000000001"
    assert credited["price"] == {"amount": 2699, "currency": "EUR"}
    assert (await hand_over(shop, token, receipt))[0] == 200
    told = apple.notification("ONE_TIME_CHARGE", receipt, "n1")
    assert (await shop.post("/webhooks/apple", told))[0] == 200
    assert await coins(shop, token) == 1400
    assert (await audit(shop.settings)).ok


async def test_a_second_transaction_of_the_same_product_is_a_purchase_of_its_own(
    shop: Gateway, apple: AppleSigner
) -> None:
    token = shop.token("ann")
    purchase = await begun(shop, token)
    for number in ("1", "2"):
        told = apple.notification(
            "ONE_TIME_CHARGE", apple.transaction(purchase["account"], transactionId=number), f"n{number}"
        )
        assert (await shop.post("/webhooks/apple", told))[0] == 200
    assert await coins(shop, token) == 2800
    found = (await shop.get("/purchases", token))[1]["purchases"]
    assert [(entry["transaction"], entry["status"]) for entry in found] == [("2", "credited"), ("1", "credited")]
    assert (await audit(shop.settings)).ok


async def test_a_refund_takes_the_coins_back_and_its_reversal_gives_them_again(
    shop: Gateway, apple: AppleSigner
) -> None:
    token = shop.token("ann")
    purchase = await begun(shop, token)
    receipt = apple.transaction(purchase["account"])
    for kind, number, left in (("REFUND", "r", 0), ("ONE_TIME_CHARGE", "p", 0), ("REFUND_REVERSED", "b", 1400)):
        assert (await shop.post("/webhooks/apple", apple.notification(kind, receipt, number)))[0] == 200
        assert await coins(shop, token) == left
    assert (await audit(shop.settings)).ok


async def test_a_receipt_is_good_for_its_own_account_alone(shop: Gateway, apple: AppleSigner) -> None:
    ann, bob = shop.token("ann"), shop.token("bob")
    purchase = await begun(shop, ann)
    await begun(shop, bob)
    receipt = apple.transaction(purchase["account"])
    assert (await hand_over(shop, bob, receipt))[0] == 403
    assert (await hand_over(shop, ann, apple.transaction(None)))[0] == 403
    assert (await hand_over(shop, ann, receipt))[0] == 200
    assert (await hand_over(shop, bob, receipt))[0] == 403
    assert (await coins(shop, ann), await coins(shop, bob)) == (1400, 0)


async def test_what_is_not_signed_by_apple_for_this_app_buys_nothing(shop: Gateway, apple: AppleSigner) -> None:
    token = shop.token("ann")
    account = (await begun(shop, token))["account"]
    other = AppleSigner()
    plain_leaf = certify("Leaf", apple.intermediate, ca=False)
    old_leaf = certify("Leaf", apple.intermediate, ca=False, purpose=LEAF_PURPOSE, days=5, began_days_ago=20)
    said = {
        "transactionId": "1", "bundleId": "org.example.gifts", "environment": "Production", "productId": "ios_1400",
        "type": "Consumable", "appAccountToken": account,
    }  # fmt: skip
    chain = [apple.leaf.der, apple.intermediate.der, apple.root.der]
    good = apple.sign(said)
    head, body, signature = good.split(".")
    bad = {
        "another authority": other.sign(said),
        "another authority with this root": other.sign(said, chain=[other.leaf.der, other.intermediate.der, chain[2]]),
        "a leaf of another with this chain": other.sign(said, chain=chain),
        "a certificate that is for something else": apple.sign(said, leaf=plain_leaf),
        "a leaf that had expired when it signed": apple.sign(said, leaf=old_leaf),
        "no root": apple.sign(said, chain=chain[:2]),
        "no chain": apple.sign(said, chain=[]),
        "no certificates": apple.sign(said, chain=[b"x", b"y", b"z"]),
        "another app": apple.sign(said | {"bundleId": "org.example.other"}),
        "the test environment": apple.sign(said | {"environment": "Sandbox"}),
        "a subscription": apple.sign(said | {"type": "Auto-Renewable Subscription"}),
        "changed": f"{head}.{body[:-2]}AA.{signature}",
        "no algorithm": f"eyJhbGciOiJub25lIn0.{body}.",
        "no JWS": "certainly",
        "an endless quantity": apple.sign(said | {"quantity": 10**9}),
    }
    for what, receipt in bad.items():
        assert (await hand_over(shop, token, receipt))[0] == 400, what
        status, _ = await shop.post("/webhooks/apple", {"signedPayload": receipt})
        assert status == 401, what
    assert await coins(shop, token) == 0
    assert (await shop.post("/webhooks/apple", {"signed": 1}))[0] == 401
    assert (await hand_over(shop, token, good))[0] == 200


def test_a_certificate_that_expired_since_still_proves_what_it_signed() -> None:
    apple = AppleSigner(began_days_ago=20)
    leaf = certify("Leaf", apple.intermediate, ca=False, purpose=LEAF_PURPOSE, days=2, began_days_ago=20)
    then = int((time.time() - 19 * 86_400) * 1000)
    root = AppleRoot(apple.root.certificate)
    assert root.open(apple.sign({"signedDate": then}, leaf=leaf)) == {"signedDate": then}
    with pytest.raises(BadNotificationError):
        root.open(apple.sign({}, leaf=leaf))
