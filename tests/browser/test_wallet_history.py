"""The history tab: what moved the viewer's coins, and where each movement is."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.admin_desk import Office
from tests.browser.people import People
from tests.browser.site import Site
from tests.browser.standards import fits, passes


async def test_a_viewer_sees_each_movement_filters_them_and_follows_one(
    people: People, site: Site, office: Office
) -> None:
    login = await site.login("Hana")
    room, _ = await people.room()
    await site.give(login, room, "rose", 3)
    page = await people.wallet(login, "history")
    rows = page.get_by_test_id("movement")
    await expect(rows).to_have_count(2)
    await expect(rows.first).to_contain_text("Rose ×3")
    await expect(rows.first).to_contain_text("\u22123")
    await expect(rows.nth(1)).to_contain_text("+10,000")
    await rows.first.locator("summary").click()
    trace = rows.first.get_by_test_id("trace")
    await expect(trace).to_contain_text("3 coins were taken")
    reference = (await trace.locator(".trace-id").inner_text()).removeprefix("Reference: ")
    await page.get_by_role("button", name="Spent", exact=True).click()
    await expect(rows).to_have_count(1)
    await page.get_by_test_id("trace-input").fill(reference)
    await page.get_by_test_id("trace-input").press("Enter")
    await expect(page.get_by_test_id("trace").first).to_contain_text("3 coins were taken")
    await rows.first.locator("summary").click()
    await rows.first.get_by_test_id("report-movement").click()
    await expect(page.get_by_test_id("report-reason")).to_have_value("fraud")
    await page.get_by_test_id("report-send").click()
    await expect(page.get_by_test_id("toast").last).to_contain_text("A person will look at it")
    await expect(page.get_by_test_id("report-sheet")).to_be_hidden()
    reports = (await site.get("/admin/reports?limit=100", office.admin("adm_one")))["reports"]
    assert ("gift", reference) in {(one["subject_kind"], one["subject"]) for one in reports}
    people.pages.allow("404")
    await page.get_by_test_id("trace-input").fill("w00-1-999999")
    await page.get_by_test_id("trace-input").press("Enter")
    await expect(page.get_by_text("nothing was charged under it")).to_be_visible()
    async with page.expect_download() as download:
        await page.get_by_test_id("download-movements").click()
    table = (await (await download.value).path()).read_text()
    assert reference in table


async def test_movements_are_filtered_by_days_of_the_viewers_calendar_and_so_is_the_table(
    people: People, site: Site
) -> None:
    login = await site.login("Hana")
    page = await people.wallet(login, "history", timezone_id="Pacific/Auckland")
    rows = page.get_by_test_id("movement")
    await expect(rows).to_have_count(1)
    before, tomorrow = await page.evaluate(
        "[-2, 1].map((days) => {"
        " const at = new Date(); at.setDate(at.getDate() + days); return at.toLocaleDateString('sv'); })"
    )
    first, last = page.get_by_test_id("days-from"), page.get_by_test_id("days-to")
    await last.fill(tomorrow)
    await first.fill(before)
    await expect(rows).to_have_count(1)
    await fits(page)
    await passes(page)
    async with page.expect_download() as download:
        await page.get_by_test_id("download-movements").click()
    assert "promotion" in (await (await download.value).path()).read_text()

    await page.get_by_test_id("days-clear").click()
    await last.fill(before)
    await expect(page.get_by_text("Nothing in these days.")).to_be_visible()
    await expect(rows).to_have_count(0)
    async with page.expect_download() as download:
        await page.get_by_test_id("download-movements").click()
    assert (await (await download.value).path()).read_text().count("\n") == 1
    async with page.expect_request("**/wallet/movements?*") as asked:
        await last.fill("2026-01-05")
    assert "to=2026-01-05T11%3A00%3A00.000Z" in (await asked.value).url, "the end of that day in Auckland"
    await page.get_by_test_id("days-clear").click()
    await expect(rows).to_have_count(1)
