"""The creator's earnings: what came in and from whom, and the way from diamonds to money, with a code in between."""

from __future__ import annotations

import csv
import io
import time
from pathlib import Path

from playwright.async_api import Page, expect

from server.economy.step_up import totp
from tests.browser.modules import Modules
from tests.browser.pages import PHONE
from tests.browser.people import People
from tests.browser.room_screen import RoomScreen
from tests.browser.site import Account, Site
from tests.browser.studio_screen import StudioScreen
from tests.browser.waiting import until


async def earnings_of(people: People, creator: Account, **options: object) -> StudioScreen:
    studio = await people.studio(creator, **options)
    await studio.live()
    await studio.part("open-money").click()
    await expect(studio.part("breakdown-row").first).to_be_visible()
    return studio


async def saved(page: Page, testid: str) -> bytes:
    async with page.expect_download() as download:
        await page.get_by_test_id(testid).first.click()
    return Path(await (await download.value).path()).read_bytes()


async def test_diamonds_are_cashed_out_with_a_code_and_the_money_arrives(people: People, site: Site) -> None:
    room, creator = await people.room()
    await site.give(await site.login("Ben"), room, "rose", 5_000)

    async def settled() -> bool:
        cash_out = await site.get("/creator/cash-out", creator)
        rooms = (await site.get("/creator/analytics/rooms", creator))["rooms"]
        return bool(cash_out["diamonds"]["payable"] == 5_000 and rooms)

    await until(settled, "the gift in the ledger")
    studio = await earnings_of(people, creator, size=PHONE)
    page = studio.page
    await expect(studio.part("money-worth")).to_have_text("$25.00")
    await studio.part("cash-out").click()
    await expect(studio.part("cash-out-submit")).to_be_disabled()
    await studio.part("method-save").click()
    await expect(studio.part("method-error")).to_have_text("Please enter the holder's name.")
    await studio.part("method-holder").fill("Mira Doe")
    await studio.part("method-destination").fill("DE88 3704 0044 0532 0130 00")
    people.pages.allow("400")
    await studio.part("method-save").click()
    await expect(studio.part("method-error")).to_contain_text("A bank account is an IBAN")
    await studio.part("method-destination").fill("DE89 3704 0044 0532 0130 00")
    await studio.part("method-save").click()
    await expect(studio.part("payout-method")).to_contain_text("DE…3000")
    await studio.part("cash-out-diamonds").fill("4001")
    await expect(studio.part("cash-out-worth")).to_have_text("$20.00 for 4,000 diamonds")
    await studio.part("cash-out-submit").click()

    secret = str(await studio.part("step-up-secret").get_attribute("data-secret"))
    people.pages.allow("403")
    await studio.part("step-up-code").fill("000000")
    await studio.part("step-up-submit").click()
    await expect(studio.part("step-up-error")).to_contain_text("not right")
    await studio.part("step-up-code").fill(totp.code_at(secret, totp.step_of(time.time())))
    await page.keyboard.press("Enter")
    codes = studio.part("recovery-codes").locator("li")
    await expect(codes).to_have_count(10)
    recovery = await codes.first.inner_text()
    await studio.part("recovery-done").click()
    await expect(studio.part("cash-out-done")).to_contain_text("$20.00")
    await studio.part("cash-out-close").click()
    await expect(studio.part("cash-out-sheet")).to_be_hidden()
    await expect(studio.part("money-worth")).to_have_text("$5.00")
    await expect(studio.part("cash-out-why")).to_contain_text("The least that is cashed out is $10.00")
    await expect(studio.part("payout-state")).to_have_text("Paid")
    await expect(studio.part("money-paid")).to_have_text("4,000")
    await expect(studio.part("step-up-state")).to_have_text("Cash-outs are confirmed with your authenticator app.")

    await studio.part("step-up-renew").click()
    await studio.part("step-up-code").fill(recovery)
    await page.keyboard.press("Enter")
    await expect(codes).to_have_count(10)
    assert recovery not in await codes.all_inner_texts()
    await studio.part("recovery-done").click()
    await expect(studio.part("step-up")).to_be_hidden()

    await page.reload()
    table = list(csv.reader(io.StringIO((await saved(page, "statement-csv")).decode("utf-8-sig"))))
    assert [row[1] for row in table[1:]] == ["Opening balance", "5,000 gifts", "Paid to DE…3000", "Closing balance"]
    assert (await saved(page, "statement-pdf")).startswith(b"%PDF-")
    await studio.part("open-studio").click()
    await studio.live()


async def test_earnings_are_seen_by_room_gifter_and_gift(people: People, site: Site) -> None:
    room, creator = await people.room("Late piano")
    ana, ben = await site.login("Ana"), await site.login("Ben")
    await site.give(ana, room, "cap", 2)
    await site.give(ben, room, "rose", 5)

    async def added_up() -> bool:
        return int((await site.get("/creator/analytics", creator))["total"]["diamonds"]) == 203

    await until(added_up, "what was earned")
    studio = await earnings_of(people, creator)
    rows = studio.part("breakdown-row")
    await expect(rows).to_have_count(1)
    await expect(rows.first).to_contain_text("Late piano")
    await expect(rows.first).to_contain_text("first room")
    await studio.part("by-rooms").press("ArrowRight")
    await expect(rows).to_have_count(2)
    await expect(rows.first).to_contain_text("Ana")
    await studio.part("by-gifts").click()
    await expect(rows.first).to_contain_text("Cap")
    assert b"cap,Cap,2,198,198" in await saved(studio.page, "export-csv")
    hours = list(csv.reader(io.StringIO((await saved(studio.page, "hours-csv")).decode("utf-8-sig"))))
    assert [row[1:] for row in hours[1:]] == [["7", "203", "203"]], hours
    await expect(studio.part("summary-diamonds")).to_have_text("203")
    await studio.page.get_by_text("7 days").click()
    await expect(studio.part("summary-gifters")).to_have_text("2")
    await expect(studio.part("heat-map").locator(".heat-cell:not(.is-cold)")).to_have_count(1)


async def test_a_viewer_follows_and_the_creator_sees_how_many_do(people: People, site: Site) -> None:
    room, creator = await people.room()
    await site.give(await site.login("Ben"), room, "rose")
    ana = await people.viewer("Ana", room)
    follow = ana.page.get_by_role("button", name="Follow Mira")
    await expect(follow).to_have_attribute("aria-pressed", "false")
    await follow.click()
    await expect(follow).to_have_attribute("aria-pressed", "true")
    assert (await site.get(f"/creators/{creator.id}", creator))["followers"] == 1
    await ana.page.reload()
    await expect(follow).to_have_attribute("aria-pressed", "true")
    studio = await people.studio(creator)
    await studio.part("open-money").click()
    await expect(studio.part("money-followers")).to_have_text("1")
    await follow.click()
    await expect(follow).to_have_attribute("aria-pressed", "false")
    mira = await people.enter(RoomScreen(await people.pages.blank(), room), creator)
    await mira.shows_diamonds(1)
    await expect(mira.part("follow")).to_be_hidden()


async def test_amounts_and_hours_are_computed_as_the_server_does(modules: Modules) -> None:
    found = await modules.run("studio/money/words.js", "return given.map(([d, r]) => m.worth(d, r));", [
        [4001, "1/2"], [10, "3/7"], [9007199254740991, "1/3"], [0, "1/2"],
    ])  # fmt: skip
    assert found == [
        {"amount": 2000, "taken": 4000},
        {"amount": 4, "taken": 10},
        {"amount": 3002399751580330, "taken": 9007199254740990},
        {"amount": 0, "taken": 0},
    ]
    week = [[day * 24 + hour for hour in range(24)] for day in range(7)]
    body = "return given.map(([cells, offset]) => m.inLocalTime(cells, offset));"
    east, west, same = await modules.run("studio/money/heat_map.js", body, [[week, 2], [week, -5], [week, 0]])
    assert same == week
    assert (east[0][2], east[0][0], east[6][23]) == (0, 166, 165)
    assert (west[0][0], west[6][19], west[6][18]) == (5, 0, 167)
