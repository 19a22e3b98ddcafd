"""What is bought beside gifts, as those who buy it and those who watch see it."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

from tests.browser.modules import Modules
from tests.browser.pages import DESKTOP
from tests.browser.people import People
from tests.browser.site import Site
from tests.browser.standards import passes


async def test_a_comment_is_pinned_for_everybody_and_taken_down_by_who_keeps_order(people: People, site: Site) -> None:
    room, creator = await people.room()
    ana = await people.viewer("Ana", room)
    ben = await people.viewer("Ben", room, size=DESKTOP)
    await ana.part("spotlight-button").click()
    await expect(ana.part("spotlight-buy")).to_be_disabled()
    await ana.part("highlight-text").fill("Play the one about <b>the lighthouse</b>!")
    await ana.part("highlight_mint").click()
    await passes(ana.page)
    await ana.part("spotlight-buy").click()
    await expect(ana.part("spotlight-sheet")).to_be_hidden()
    for screen in (ana, ben):
        pin = screen.part("pinned-comment")
        await expect(pin).to_contain_text("Play the one about <b>the lighthouse</b>!")
        await expect(pin).to_contain_text("Ana")
        await expect(screen.part("chat-line").filter(has_text="lighthouse")).to_have_count(1)
    await passes(ben.page)
    assert await site.coins(ana.account) == 9_900

    # Whoever comes later sees it too; the creator takes it down, for all.
    late = await people.viewer("Cem", room)
    await expect(late.part("pinned-comment")).to_have_count(1)
    await expect(late.part("pin-remove")).to_be_hidden()
    owner = await people.enter(type(late)(await people.pages.blank(size=DESKTOP), room), creator)
    await owner.part("pin-remove").click()
    for screen in (ana, ben, late, owner):
        await expect(screen.part("pinned-comment")).to_have_count(0)


async def test_effects_and_stickers_stand_on_the_stage_and_are_said_in_words(people: People, site: Site) -> None:
    room, _ = await people.room()
    ana = await people.viewer("Ana", room)
    ben = await people.viewer("Ben", room)
    await ana.part("spotlight-button").click()
    await ana.part("spotlight-tab-effects").click()
    await ana.part("effect_snow").click()
    await ana.part("spotlight-buy").click()
    await expect(ben.part("room-effect")).to_have_attribute("data-look", "snow")
    await expect(ben.part("effect-chips")).to_contain_text("Snowfall by Ana")
    await ana.part("spotlight-tab-stickers").click()
    await ana.part("sticker_laurel").click()
    await ana.part("spotlight-buy").click()
    await expect(ben.part("sticker")).to_have_attribute("data-item", "sticker_laurel")
    await passes(ana.page)
    await ana.close_sheets()
    # Nothing of it goes through the tray: it has places of its own.
    await expect(ben.page.locator("[data-testid=lane].is-shown")).to_have_count(0)
    await ben.shows_diamonds(400)


async def test_what_cannot_be_bought_is_said_and_leaves_the_balance(people: People, site: Site) -> None:
    room, _ = await people.room()
    ana = await people.viewer("Ana", room)
    await site.give(ana.account, room, "rose", 9_950)
    await expect(ana.part("spotlight-balance")).to_have_text("50")
    await ana.part("spotlight-button").click()
    await ana.part("spotlight-tab-effects").click()
    await ana.part("effect_golden_hour").click()
    await ana.part("spotlight-buy").click()
    await expect(ana.part("toast")).to_contain_text("enough coins")
    await expect(ana.part("spotlight-balance")).to_have_text("50")


async def test_a_level_and_an_upgrade_show_beside_the_name(people: People, site: Site) -> None:
    room, _ = await people.room()
    ana = await people.viewer("Ana", room)
    ben = await people.viewer("Ben", room, size=DESKTOP)
    await site.give(ana.account, room, "rose", 1_000)
    await ana.part("spotlight-button").click()
    await ana.part("spotlight-tab-look").click()
    await ana.part("badge_paw").click()
    await passes(ana.page)
    await ana.part("spotlight-buy").click()
    await expect(ana.part("held-upgrades")).to_contain_text("Paw badge until")
    await expect(ana.part("level-words")).to_contain_text("coins to level 19")
    await ana.close_sheets()

    async def said(text: str) -> bool:
        await ana.say(text)
        line = ben.part("chat-line").filter(has_text=text)
        await expect(line).to_have_count(1)
        return await line.locator(".look-level").is_visible()

    # It shows once it is settled and told: a line later, as a rule.
    for number in range(10):
        if await said(f"line {number}"):
            break
        await asyncio.sleep(1.0)
    last = ben.part("chat-line").last
    await expect(last.locator(".look-level")).to_have_text("Level 18")
    await expect(last.locator(".look-badge")).to_be_visible()
    await expect(ben.part("side-ranking").locator(".look-level").first).to_have_text("Level 18")
    # And at the door, for others who are there.
    await passes(ben.page)


async def test_a_ticket_opens_an_exclusive_room_once_and_for_all(people: People, site: Site) -> None:
    creator = await site.login("Mira")
    room = str((await site.post("/rooms", creator, title="Gala", ticket="ticket_100"))["id"])
    ana = await site.login("Ana")
    lobby = await people.lobby(ana)
    card = lobby.locator(f'[data-room="{room}"]')
    await expect(card.get_by_test_id("ticket-note")).to_contain_text("100")
    await card.click()
    gate = lobby.get_by_test_id("ticket-gate")
    await expect(gate).to_contain_text("Gala")
    await passes(lobby)
    await lobby.get_by_test_id("buy-ticket").click()
    await expect(lobby.locator("html")).to_have_attribute("data-connection", "live")
    assert await site.coins(ana) == 9_900
    await lobby.reload()
    await expect(lobby.locator("html")).to_have_attribute("data-connection", "live")
    assert await site.coins(ana) == 9_900
    await site.end_room(creator, room)


async def test_the_door_says_why_it_stays_shut(people: People, site: Site) -> None:
    creator = await site.login("Mira")
    room = str((await site.post("/rooms", creator, title="Gala", ticket="ticket_5000"))["id"])
    poor = await site.login("Poor")
    other, _ = await people.room()
    await site.give(poor, other, "rose", 9_000)
    people.pages.allow("402")
    page = await people.lobby(poor, f"/?room={room}")
    await page.get_by_test_id("buy-ticket").click()
    await expect(page.get_by_test_id("gate-said")).to_contain_text("enough coins")
    await expect(page.get_by_test_id("gate-recharge")).to_be_visible()
    await site.end_room(creator, room)


async def test_a_promoted_room_is_marked_for_others_and_its_progress_seen(people: People, site: Site) -> None:
    room, creator = await people.room("A quiet hour")
    studio = await people.studio(creator)
    await studio.live()
    await studio.part("studio-promote").click()
    await expect(studio.part("promote-sheet")).to_be_visible()
    await passes(studio.page)
    await studio.part("promote_500").click()
    await studio.part("promote-buy").click()
    await expect(studio.part("placement")).to_contain_text("of 500 impressions")
    lobby = await people.lobby(await site.login("Ana"))
    promoted = lobby.locator(f'[data-room="{room}"]').get_by_test_id("promoted")
    await expect(promoted).to_be_visible()
    await passes(lobby)
    await expect(studio.part("placement")).to_contain_text("1 of 500 impressions")


async def test_the_boards_show_who_gave_and_earned_most(people: People, site: Site) -> None:
    room, _ = await people.room(creator="Zora")
    ana = await site.login("Anastasia")
    await site.give(ana, room, "rose", 9_000)
    page = await people.lobby(ana, "/boards")
    board = page.get_by_test_id("board")

    async def shows(name: str) -> None:
        async with asyncio.timeout(30):
            while not await board.get_by_text(name, exact=True).count():
                await page.get_by_test_id("periods-day").click()
                await asyncio.sleep(0.5)

    await shows("Zora")
    await page.get_by_test_id("boards-gifters").click()
    await shows("Anastasia")
    await expect(page.get_by_test_id("own-place")).to_contain_text("9,000")
    await passes(page)
    await page.get_by_test_id("board-earlier").click()
    await expect(page.get_by_test_id("board-row")).to_have_count(0)
    await expect(page.get_by_test_id("board-later")).to_be_enabled()


@pytest.mark.parametrize(
    ("period", "starts", "ends", "words"),
    [
        ("day", "2030-01-31", "2030-02-01", "Thursday, January 31"),
        ("week", "2030-01-28", "2030-02-04", "January 28 \u2013 February 3, 2030"),
        ("month", "2030-02-01", "2030-03-01", "February 2030"),
    ],
)
async def test_a_span_of_days_is_said_as_people_do(
    modules: Modules, period: str, starts: str, ends: str, words: str
) -> None:
    said = await modules.run("boards/span.js", f'return m.spanInWords("{period}", "{starts}", "{ends}");')
    assert said.replace("\u2009", " ") == words
