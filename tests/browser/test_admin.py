"""The admin page: its door, and what two admins do with it about one user."""

from __future__ import annotations

import secrets

from playwright.async_api import FilePayload, expect

from tests.browser.admin_desk import Office, because, go_to
from tests.browser.people import People
from tests.browser.site import Site
from tests.browser.standards import fits, passes


async def test_a_token_without_the_role_is_told_so(people: People, site: Site) -> None:
    people.pages.allow("403")
    page = await people.pages.open("/admin")
    await page.get_by_test_id("admin-token").fill((await site.login("Vera")).token)
    await page.get_by_test_id("admin-token").press("Enter")
    await expect(page.get_by_test_id("admin-sign-in-error")).to_contain_text("has not the role admin")
    await expect(page.get_by_test_id("admin-desk")).to_be_hidden()


async def test_a_wallet_is_frozen_and_coins_are_corrected_by_two_admins(
    people: People, site: Site, office: Office
) -> None:
    people.pages.allow("403")
    name = f"Otto {secrets.token_hex(4)}"
    otto = await site.login(name)
    first = await office.desk(people.pages, "adm_one", "users")
    await first.get_by_test_id("user-search").fill(name)
    await first.get_by_test_id("user-search").press("Enter")
    await expect(first.get_by_test_id("found-user")).to_have_count(1)
    await first.get_by_role("button", name=f"Open {name}").click()
    await expect(first.get_by_test_id("user-coins")).to_have_text("10,000")

    await first.get_by_test_id("freeze").click()
    await because(first, "A stolen phone")
    await expect(first.get_by_test_id("user-state")).to_have_text("Wallet frozen")
    await first.get_by_test_id("unfreeze").click()
    await because(first, "Found again")
    await expect(first.get_by_test_id("user-state")).to_have_text("In good standing")

    await first.get_by_test_id("correction-coins").fill("-1500")
    await first.get_by_test_id("correction-reason").fill("Given twice")
    await first.get_by_test_id("correction-propose").click()
    await expect(first.get_by_test_id("toast").last).to_contain_text("1,500 coins proposed")
    await passes(first)
    await fits(first)

    await go_to(first, "waiting")
    of_otto = first.get_by_test_id("correction").filter(has_text=otto.id)
    await of_otto.get_by_test_id("approve").click()
    await expect(first.locator(".toast-problem")).to_be_visible()
    assert await site.coins(otto) == 10_000

    second = await office.desk(people.pages, "adm_two", "waiting")
    waits = second.get_by_test_id("correction").filter(has_text=otto.id)
    await expect(waits).to_contain_text("Given twice")
    await passes(second)
    await fits(second)
    await waits.get_by_test_id("approve").click()
    await expect(waits).to_have_count(0)
    await second.goto(f"{site.url}/admin#users/{otto.id}")
    await expect(second.get_by_test_id("user-coins")).to_have_text("8,500")
    assert await site.coins(otto) == 8_500

    await second.get_by_role("link", name="What was done").click()
    deeds = second.get_by_test_id("deed")
    await expect(deeds).to_have_count(4)
    await expect(deeds.first).to_contain_text("adjustment approved")
    await expect(deeds.first).to_contain_text("by adm_two")
    await expect(deeds.last).to_contain_text("A stolen phone")
    await passes(second)
    await fits(second)


async def test_a_price_is_previewed_before_it_is_added_and_a_report_is_compared(
    people: People, site: Site, office: Office
) -> None:
    page = await office.desk(people.pages, "adm_one", "prices")
    item = page.get_by_test_id("item").filter(has_text="Rose rose, version")
    await item.get_by_role("button").click()
    before = await item.inner_text()
    await page.get_by_label("Id", exact=True).first.fill("admin_rose")
    await page.get_by_label("Coins", exact=True).first.fill("7")
    await expect(page.get_by_test_id("item-add")).to_be_disabled()
    await page.get_by_test_id("item-preview").click()
    await expect(page.get_by_test_id("item-words")).to_contain_text("(admin_rose) version 1: coins 7,")
    await expect(page.get_by_test_id("item").filter(has_text="admin_rose")).to_have_count(0)
    await page.get_by_label("On sale").first.uncheck()
    await expect(page.get_by_test_id("item-add")).to_be_disabled()
    await page.get_by_test_id("item-preview").click()
    await page.get_by_test_id("item-add").click()
    await expect(page.get_by_test_id("item").filter(has_text="admin_rose")).to_contain_text("not on sale")
    assert await item.inner_text() == before
    await passes(page)
    await fits(page)

    await go_to(page, "figures")
    report = b"transaction,amount,currency\nnobody_has_this,499,USD\n"
    upload = FilePayload(name="report.csv", mimeType="text/csv", buffer=report)
    await page.get_by_test_id("report-file").set_input_files(upload)
    await page.get_by_test_id("report-compare").click()
    await expect(page.get_by_test_id("differences")).to_contain_text("nobody_has_this")
    await passes(page)
    await fits(page)


async def test_a_promotion_is_tried_on_a_purchase_and_ended(people: People, site: Site, office: Office) -> None:
    page = await office.desk(people.pages, "adm_one", "promotions")
    form = page.get_by_test_id("promotion-form")
    fields = {"Id": "far-away", "Name": "In 2090", "Percent": "50", "From (UTC)": "2090-01-01T00:00"}
    for label, value in {
        **fields,
        "To before (UTC)": "2090-02-01T00:00",
        "Uses at most": "5",
        "Budget of a bonus": "900",
    }.items():
        await form.get_by_label(label, exact=True).fill(value)
    await form.get_by_label("Tell everybody").uncheck()
    await page.get_by_test_id("promotion-preview").click()
    await expect(page.get_by_test_id("promotion-words")).to_contain_text("Promotions in it: far-away")
    made = page.get_by_test_id("promotion").filter(has_text="far-away")
    await expect(made).to_have_count(0)
    await page.get_by_test_id("promotion-add").click()
    await expect(made).to_contain_text("50 % bonus")
    await passes(page)
    await fits(page)
    await made.get_by_role("button", name="End far-away").click()
    await expect(made.filter(has_text="version 2")).to_contain_text("not active")
    await expect(page.get_by_role("button", name="End far-away, version 2")).to_have_count(0)
