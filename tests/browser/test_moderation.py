"""Keeping order on the page: the menu of a chat line, and what those see whom it is about."""

from __future__ import annotations

import asyncio

from playwright.async_api import expect

from tests.browser.people import People
from tests.browser.site import Site


async def test_a_creator_bans_from_the_studio_and_the_viewer_is_told(people: People, site: Site) -> None:
    room, creator = await people.room()
    ana, studio = await asyncio.gather(people.viewer("Ana", room), people.studio(creator))
    await studio.live()
    await ana.say("good evening")
    await studio.page.get_by_role("button", name="Options for Ana").click()
    sheet = studio.part("moderation-sheet")
    await expect(sheet).to_contain_text("Ana")
    await sheet.get_by_text("Ban from this room").click()
    await expect(ana.part("room-missing")).to_contain_text("You are banned from this room.")
    await expect(studio.part("toast")).to_contain_text("Ana is banned from this room.")
    await studio.part("undo").click()
    await expect(studio.part("toast").last).to_contain_text("Undone for Ana.")
    await ana.page.reload()
    await ana.live()


async def test_a_moderator_mutes_by_right_click_and_viewers_can_only_report(people: People, site: Site) -> None:
    room, creator = await people.room()
    ana, mona = await asyncio.gather(people.viewer("Ana", room), people.viewer("Mona", room))
    await ana.say("one")
    line = mona.part("chat-line").filter(has_text="one")
    await line.get_by_test_id("chat-menu").press("Enter")
    sheet = mona.part("moderation-sheet")
    await expect(sheet.get_by_role("button")).to_have_text(["", "Report"])
    await mona.close_sheets()

    await site.put(f"/rooms/{room}/moderators/{mona.account.id}", creator)
    await expect(mona.page.locator("[data-moderating]")).to_be_visible()
    await line.click(button="right")
    await expect(sheet.get_by_text("Make a moderator")).to_be_hidden()
    await sheet.get_by_text("Mute for 10 minutes").click()
    await expect(ana.part("toast")).to_contain_text("You are muted in this room until")
    await ana.say("two")
    await expect(ana.part("toast").last).to_contain_text("You are muted in this room until")
    await expect(ana.part("chat-input")).to_have_value("two")
