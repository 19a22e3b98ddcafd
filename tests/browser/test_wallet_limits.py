"""The limits tab: what is told once, what asks first, and a parent's block that a PIN lifts."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.people import People
from tests.browser.site import Site
from tests.browser.standards import fits, passes


async def test_a_viewer_tells_who_they_are_once_and_a_parent_blocks_purchases(people: People, site: Site) -> None:
    people.pages.allow("40[0-9]")
    account = await site.login("Hana")
    page = await people.wallet(account, "limits")
    await page.get_by_test_id("budget-day").fill("500")
    await page.get_by_test_id("budget-day-set").click()
    await expect(page.get_by_text("0 of 500 coins spent")).to_be_visible()
    await page.get_by_test_id("region").fill("pt")
    await page.get_by_test_id("birth-date").fill("1990-02-03")
    await page.get_by_test_id("save-profile").click()
    await expect(page.get_by_test_id("save-profile")).to_be_hidden()
    assert (await site.get("/account/profile", account))["region"] == "PT"
    await page.get_by_test_id("pin").fill("2468")
    await page.get_by_test_id("purchase-block-submit").click()
    await expect(page.get_by_test_id("purchase-block")).to_contain_text("Nobody can buy coins")
    await page.get_by_test_id("pin").fill("1111")
    await page.get_by_test_id("purchase-block-submit").click()
    await expect(page.get_by_text("This is not the PIN.")).to_be_visible()
    await page.get_by_test_id("pin").fill("2468")
    await page.get_by_test_id("purchase-block-submit").click()
    await expect(page.get_by_test_id("purchase-block")).to_contain_text("Block purchases")
    await page.reload()
    await expect(page.get_by_test_id("logins").locator("li")).to_have_count(1)
    await fits(page)
    await passes(page)


async def test_a_budget_warns_when_it_is_nearly_spent_and_says_when_it_begins_anew(people: People, site: Site) -> None:
    room, _ = await people.room()
    viewer = await people.viewer("Ana", room)
    await site.put("/account/limits/day", viewer.account, coins=100)
    await viewer.open_gifts()
    await viewer.send("cap")
    warning = viewer.part("toast").filter(has_text="80 % of your budget for this day")
    await expect(warning).to_have_count(1)
    # The notice of it is in the feed behind the bell, and does not say it a second time.
    await expect(viewer.part("notices").locator("li", has_text="80 % or more")).to_have_count(1)
    assert await viewer.part("toast").filter(has_text="80 % or more").count() == 0, "now: a toast goes by itself"
    await viewer.send("cap")
    over = viewer.part("toast").filter(has_text="more than is left of your budget for this day")
    await expect(over).to_contain_text("The next day begins")
    async with viewer.page.context.expect_page() as opened:
        await over.get_by_test_id("toast-limits").click()
    await expect((await opened.value).get_by_text("99 of 100 coins spent")).to_be_visible()


async def test_a_break_that_one_took_is_told_from_a_block_and_with_its_end(people: People, site: Site) -> None:
    room, _ = await people.room()
    viewer = await people.viewer("Ana", room)
    await site.post("/account/pause", viewer.account, days=1)
    await viewer.open_gifts()
    await viewer.send("rose")
    paused = viewer.part("toast").filter(has_text="You have paused spending until")
    async with viewer.page.context.expect_page() as opened:
        await paused.get_by_test_id("toast-limits").click()
    await expect((await opened.value).get_by_text("You have paused spending until")).to_be_visible()
    assert await site.coins(viewer.account) == 10_000


async def test_a_dear_gift_is_asked_about_first_where_its_sender_chose_so(people: People, site: Site) -> None:
    room, _ = await people.room()
    viewer = await people.viewer("Ana", room)
    await viewer.page.evaluate("localStorage.setItem('giftstream.confirm-above', '100')")
    await viewer.open_gifts()
    await viewer.send("rose")
    await viewer.shows_lane(viewer.account, "rose", 1)
    await viewer.send("rose", count=999)
    confirmation = viewer.page.get_by_test_id("gift-confirmation")
    await expect(confirmation).to_contain_text("999 coins")
    await viewer.page.get_by_role("button", name="Keep my coins").click()
    assert await site.coins(viewer.account) == 9_999
    await viewer.send("rose", count=999)
    await viewer.page.get_by_test_id("confirm-gift").click()
    await expect(viewer.part("balance")).to_have_attribute("data-value", "9000")
