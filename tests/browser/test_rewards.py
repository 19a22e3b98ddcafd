"""The wallet's tabs "Rewards" and "Notices", and the bell beside the room: what people do and what comes of it."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.browser.pages import DESKTOP, PHONE
from tests.browser.people import People
from tests.browser.site import Site
from tests.browser.standards import passes


async def answer_survey(page: Page) -> None:
    await page.get_by_test_id("rewarded-begin-survey").click()
    await expect(page.locator("fieldset")).to_have_count(2)
    for question in await page.locator("fieldset").all():
        await question.locator("input").first.check()
    await page.get_by_test_id("sandbox-send").click()


async def test_a_survey_brings_coins_to_every_page_a_toast_and_a_number_on_the_bell(people: People, site: Site) -> None:
    room, _ = await people.room()
    viewer = await people.viewer("Ana", room)
    page = await people.wallet(viewer.account, "rewards")
    await answer_survey(page)
    # The word is gone in a few seconds: it comes first.
    await expect(viewer.part("toast")).to_contain_text("You answered a survey: +50 coins")
    await expect(page.get_by_test_id("wallet-coins")).to_have_text("10,050")
    await expect(page.get_by_test_id("reward")).to_have_count(1)
    await expect(page.get_by_test_id("issued")).to_contain_text("10,050")
    await expect(viewer.part("bell-badge")).to_have_text("1")
    await expect(viewer.part("bell")).to_have_accessible_name("Notices, 1 unread")

    await viewer.part("bell").click()
    await expect(viewer.part("notices-sheet").get_by_test_id("notice-row")).to_have_count(1)
    await expect(viewer.part("bell-badge")).to_be_hidden()
    assert (await site.get("/notices", viewer.account))["unread"] == 0
    await viewer.page.keyboard.press("Escape")
    await expect(viewer.part("bell")).to_be_focused()
    assert await site.coins(viewer.account) == 10_050


async def test_an_ad_that_is_closed_brings_nothing(people: People, site: Site) -> None:
    account = await site.login("Ben")
    page = await people.wallet(account, "rewards")
    await page.get_by_test_id("rewarded-begin-ad").click()
    await expect(page.get_by_test_id("sandbox-count")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("rewarded")).to_contain_text("There are no coins for it this time.")
    assert await site.coins(account) == 10_000


async def test_a_challenge_is_joined_and_its_goal_reached(people: People, site: Site) -> None:
    room, _ = await people.room()
    account = await site.login("Cid")
    page = await people.wallet(account, "rewards", size=DESKTOP)
    roses = page.locator("[data-testid=challenge][data-id^=roses]")
    await expect(roses.get_by_test_id("challenge-progress")).to_have_text("0 of 10 gifts")
    await roses.get_by_test_id("challenge-join").click()
    await expect(roses.get_by_test_id("challenge-outcome")).to_have_text("You take part")
    await site.give(account, room, "rose", 12)
    await expect(roses.get_by_test_id("challenge-outcome")).to_have_text("Done: the coins are yours")
    await expect(roses.get_by_test_id("challenge-progress")).to_have_text("10 of 10 gifts")
    await expect(page.get_by_test_id("wallet-coins")).to_have_text("10,008")
    await page.get_by_test_id("wallet-tab-notices").click()
    await expect(page.get_by_test_id("notice-row")).to_contain_text("Send 10 roses today")


async def test_a_friends_code_is_entered_and_ones_own_is_refused(people: People, site: Site) -> None:
    inviter, invited = await site.login("Dan"), await site.login("Eva")
    code = (await site.get("/referrals", inviter))["code"]
    page = await people.wallet(invited, "rewards")
    await expect(page.get_by_test_id("referral-code")).not_to_be_empty()
    own = await page.get_by_test_id("referral-code").text_content()
    people.pages.allow("403|404")
    for wrong, said in ((own, "This is your own code."), ("ABCD2345", "Nobody invites with this code.")):
        await page.get_by_test_id("referral-input").fill(wrong or "")
        await page.get_by_test_id("referral-enter").click()
        await expect(page.get_by_test_id("referrals")).to_contain_text(said)
    await page.get_by_test_id("referral-input").fill(code.lower())
    await page.get_by_test_id("referral-enter").click()
    await expect(page.get_by_test_id("invited-by")).to_have_text("You were invited by Dan.")
    await expect(page.get_by_test_id("referral-input")).to_be_hidden()


async def test_the_tabs_and_their_sheets_are_usable_by_everybody(people: People, site: Site) -> None:
    account = await site.login("Fay")
    page = await people.wallet(account, "rewards", reduced_motion="reduce")
    await expect(page.get_by_test_id("challenge").first).to_be_visible()
    await answer_survey(page)
    await expect(page.get_by_test_id("reward")).to_have_count(1)
    await passes(page)
    await page.locator("[data-kind=contest] [data-testid=challenge-ranking]").click()
    await expect(page.get_by_test_id("contest-sheet")).to_be_visible()
    await passes(page)
    await page.keyboard.press("Escape")
    await page.get_by_test_id("rewarded-begin-survey").click()
    await passes(page)
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("sandbox-player")).to_be_hidden()
    await page.get_by_test_id("wallet-tab-notices").click()
    await expect(page.get_by_test_id("notice-row")).to_have_count(1)
    await passes(page)


@pytest.mark.parametrize("size", [{"width": 320, "height": 640}, PHONE, DESKTOP])
async def test_nothing_is_wider_than_the_screen(people: People, site: Site, size: dict[str, int]) -> None:
    page = await people.wallet(await site.login("W" * 24), "rewards", size=size)
    await expect(page.get_by_test_id("challenge").first).to_be_visible()
    overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0
