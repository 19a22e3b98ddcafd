"""Getting coins: from the room to the checkout and back, what became of a purchase, and what is owed."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.admin_desk import Office
from tests.browser.pages import PHONE
from tests.browser.people import People
from tests.browser.room_screen import RoomScreen
from tests.browser.site import Account, Site
from tests.browser.standards import fits, passes
from tests.browser.waiting import until_equal


async def pay(page: Page, outcome: str) -> None:
    """From the confirmation to the pretend provider, and what happens there."""
    await page.get_by_test_id("pay").click()
    await page.get_by_test_id(f"outcome-{outcome}").click()
    await page.get_by_test_id("checkout-go").click()


async def test_coins_bought_beside_a_room_are_there_at_once_on_every_page(people: People, site: Site) -> None:
    room, _ = await people.room()
    viewer = await people.viewer("Ana", room)
    await viewer.open_gifts()
    await viewer.part("recharge").click()
    async with viewer.page.context.expect_page() as opened:
        await viewer.part("get-coins").click()
    wallet = await opened.value
    await expect(wallet.get_by_test_id("wallet-coins")).to_have_text("10,000")
    cards = wallet.get_by_test_id("packages").locator("button")
    await expect(cards).to_have_count(5)
    await expect(cards.filter(has_text="Best value")).to_have_count(1)
    await expect(wallet.get_by_test_id("package-web_50000")).to_contain_text("Best value")
    await expect(wallet.get_by_test_id("package-web_1000")).to_contain_text("$9.99 per 1,000")

    await wallet.get_by_test_id("package-web_1000").click()
    await expect(wallet.get_by_test_id("confirm-price")).to_have_text("$9.99")
    assert await site.coins(viewer.account) == 10_000
    await wallet.get_by_test_id("region").select_option("PT")
    await wallet.get_by_test_id("method-paypal").click()
    await pay(wallet, "double_webhook")
    await expect(wallet.get_by_test_id("purchase-title")).to_have_text("1,000 coins have arrived")
    await expect(wallet.locator(".receipt-lines")).to_contain_text("PayPal")
    await expect(wallet.get_by_test_id("wallet-coins")).to_have_text("11,000")
    await expect(viewer.part("wallet-coins")).to_have_text("11,000")


async def test_a_custom_amount_has_its_price_and_its_bounds(people: People, site: Site) -> None:
    page = await people.wallet(await site.login("Ana"), "coins")
    amount, buy = page.get_by_test_id("custom-coins"), page.get_by_test_id("custom-buy")
    await amount.fill("99")
    await buy.click()
    await expect(amount).to_have_attribute("aria-invalid", "true")
    await amount.fill("1,234")
    await expect(buy).to_have_text("Continue · $12.34")
    await buy.click()
    await expect(page.get_by_test_id("confirm-price")).to_have_text("$12.34")


async def test_promotions_of_a_custom_amount_are_shown_before_it_is_paid_where_its_buyer_lives(
    people: People, site: Site, office: Office
) -> None:
    stretch = {"starts_at": "2020-01-01T00:00:00Z", "ends_at": "2090-01-01T00:00:00Z", "announce": False}
    only = {"packages": ["web_custom"], "regions": ["IS"], "uses_max": 9, **stretch}
    admin = office.admin("adm_one")
    lights: dict[str, Any] = {"name": "Northern lights", "kind": "bonus", "percent": 20, "budget_coins": 900}
    sale: dict[str, Any] = {"name": "Ice sale", "kind": "discount", "percent": 10, "platforms": ["web"]}
    await site.post("/admin/promotions", admin, id="northern-lights", **lights, **only)
    await site.post("/admin/promotions", admin, id="ice-sale", **sale, **only)

    page = await people.wallet(await site.login("Ana"), "coins")
    await page.get_by_test_id("custom-coins").fill("1000")
    await page.get_by_test_id("custom-buy").click()
    await page.get_by_test_id("region").select_option("PT")
    await expect(page.get_by_test_id("pay")).to_have_text("Pay $10.00")
    await page.get_by_test_id("region").select_option("IS")
    await expect(page.get_by_test_id("pay")).to_have_text("Pay $9.00")
    await expect(page.get_by_test_id("confirm-bonus")).to_contain_text("200 coins on top: Northern lights")
    await passes(page)
    await pay(page, "success")
    await expect(page.get_by_test_id("wallet-coins")).to_have_text("11,200")
    await expect(page.get_by_test_id("wallet-issued")).to_have_text("In all 1,000 bought and 10,200 given")

    ben = await site.login("Ben")
    await site.put("/account/profile", ben, region="IS")
    page = await people.wallet(ben, "coins")
    await page.get_by_test_id("custom-coins").fill("500")
    deal = page.get_by_test_id("custom-deal")
    await expect(deal).to_contain_text("$4.50 instead of $5.00 and 100 coins on top: Northern lights, Ice sale")
    await expect(page.get_by_test_id("custom-buy")).to_have_text("Continue · $4.50")
    await fits(page)


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        ("decline", "The payment was declined"),
        ("expired", "The time to pay is over"),
        ("pending", "The payment is on its way"),
    ],
)
async def test_what_became_of_a_payment_is_said_in_plain_words(
    people: People, site: Site, outcome: str, says: str
) -> None:
    page = await people.wallet(await site.login("Ana"), "coins")
    await page.get_by_test_id("package-web_100").click()
    await pay(page, outcome)
    await expect(page.get_by_test_id("purchase-title")).to_have_text(says)
    await page.get_by_test_id("wallet-tab-coins").click()
    await expect(page.get_by_test_id("purchases").locator("li")).to_have_count(1)
    await expect(page.get_by_test_id("wallet-coins")).to_have_text("10,000")


async def bought(site: Site, account: Account) -> str:
    purchase = await site.post("/purchases", account, package="web_1000", version=1, method="card", region="PT")
    await site.post(f"/purchases/{purchase['id']}/checkout", account)
    await site.post(f"/sandbox/payments/{purchase['id']}", None, outcome="success")
    await until_equal(lambda: site.coins(account), 11_000, "the coins")
    return str(purchase["id"])


async def test_who_owes_coins_is_told_so_until_they_are_paid(people: People, site: Site) -> None:
    ana = await site.login("Ana")
    room, _ = await people.room()
    purchase = await bought(site, ana)
    await site.give(ana, room, "rose", 9_999)
    await site.give(ana, room, "rose", 1_001)
    page = await people.wallet(ana, f"coins/{purchase}")
    await expect(page.get_by_test_id("purchase-title")).to_have_text("1,000 coins have arrived")
    await page.get_by_test_id("at-provider").click()
    await page.get_by_test_id("outcome-dispute").click()
    await page.get_by_test_id("checkout-go").click()
    await expect(page.get_by_test_id("wallet-debt")).to_contain_text("You owe 1,000 coins")
    await expect(page.get_by_test_id("purchase-title")).to_have_text("Your bank took the payment back")
    viewer = await people.enter(RoomScreen(await people.pages.blank(size=PHONE), room), ana)
    await viewer.open_gifts()
    await viewer.send("rose")
    await expect(viewer.part("toast").last).to_contain_text("You owe coins")
    await viewer.part("toast-recharge").click()
    await expect(viewer.part("wallet-debt")).to_contain_text("You owe 1,000 coins")
    await page.get_by_test_id("at-provider").click()
    await page.get_by_test_id("outcome-dispute_won").click()
    await page.get_by_test_id("checkout-go").click()
    await expect(page.get_by_test_id("wallet-debt")).to_be_hidden()
    await expect(page.get_by_test_id("wallet-coins")).to_have_text("0")


async def test_each_of_its_screens_fits_and_is_accessible(people: People, site: Site) -> None:
    page = await people.wallet(await site.login("W" * 40), "coins")
    await expect(page.get_by_test_id("package-web_1000")).to_be_visible()
    await _lives_up(page)
    await page.get_by_test_id("package-web_1000").click()
    await expect(page.get_by_test_id("pay")).to_be_visible()
    await _lives_up(page)
    await page.get_by_test_id("pay").click()
    await expect(page.get_by_test_id("checkout-go")).to_be_visible()
    await _lives_up(page)
    await page.get_by_test_id("checkout-go").click()
    await expect(page.get_by_test_id("purchase-title")).to_have_text("1,000 coins have arrived")
    await _lives_up(page)


async def _lives_up(page: Page) -> None:
    await fits(page)
    await passes(page)
