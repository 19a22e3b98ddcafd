"""Ways to send: held down, by keyboard alone, with one press on a desktop; and coming in by name."""

from __future__ import annotations

import asyncio

from playwright.async_api import expect

from tests.browser.pages import DESKTOP, MOVING
from tests.browser.people import People
from tests.browser.room_screen import RoomScreen
from tests.browser.site import Site
from tests.browser.waiting import until, until_equal


async def test_holding_the_button_builds_one_combo_that_grows_in_one_lane(people: People, site: Site) -> None:
    room, _ = await people.room()
    ana, ben = await asyncio.gather(people.viewer("Ana", room, **MOVING), people.viewer("Ben", room, **MOVING))
    await ana.open_gifts()
    await ana.choose("rose")
    await ana.part("send-gift").hover()
    await ana.page.mouse.down()

    async def sent_six() -> bool:
        return int((await ana.part("combo-count").inner_text()).removeprefix("×") or 0) >= 6

    await until(sent_six, "six gifts of a combo")
    lane = ben.lane(ana.account, "rose")
    await expect(lane).to_have_count(1)
    await ana.page.mouse.up()
    sent = int((await ana.part("combo-count").inner_text()).removeprefix("×"))

    await until_equal(lambda: site.coins(ana.account), 10_000 - sent, "the coins in the wallet")
    await ben.shows_diamonds(sent)
    await ana.shows_balance(10_000 - sent)
    gifts = (await site.get("/wallet/gifts?limit=100", ana.account))["gifts"]
    assert [gift["count"] for gift in gifts] == [1] * sent
    assert await lane.count() <= 1


async def test_a_combo_goes_on_in_its_lane_as_others_see_it(people: People, site: Site) -> None:
    room, _ = await people.room()
    viewer = await people.viewer("Ben", room)
    sender = await site.login("Ana")
    seen = []
    for count in (1, 2, 4):
        combo = (await site.give(sender, room, "clover", count))["combo"]
        await viewer.shows_lane(sender, "clover", combo)
        seen.append(combo)
        assert await viewer.page.locator("[data-testid=lane].is-shown").count() == 1
    # A slow machine may end a combo between two gifts; then the next one begins anew, and the lane says so.
    assert seen[0] == 1


async def test_a_gift_that_is_no_combo_is_not_repeated_by_holding(people: People, site: Site) -> None:
    room, _ = await people.room()
    ana = await people.viewer("Ana", room)
    await ana.open_gifts()
    await ana.choose("hand_hearts", "medium")
    await ana.part("send-gift").click(delay=1_200)
    await ana.shows_lane(ana.account, "hand_hearts", 1)
    await ana.shows_balance(9_900)
    assert await site.coins(ana.account) == 9_900


async def test_a_gift_can_be_sent_with_the_keyboard_alone(people: People, site: Site) -> None:
    room, _ = await people.room()
    ana = await people.viewer("Ana", room)
    keyboard = ana.page.keyboard
    await ana.part("gift-button").focus()
    await keyboard.press("Enter")
    await expect(ana.part("gift-sheet")).to_be_visible()
    rose = ana.part("gift-rose")
    await expect(rose).to_be_focused()
    await keyboard.press("ArrowRight")
    await expect(rose).not_to_be_focused()
    chosen = ana.page.locator(".gift-card:focus")
    gift = await chosen.get_attribute("data-gift")
    await expect(chosen).to_have_attribute("aria-checked", "true")
    await keyboard.press("Tab")
    await expect(ana.part("qty-1")).to_be_focused()
    await keyboard.press("ArrowRight")
    await expect(ana.part("qty-10")).to_be_focused()
    await keyboard.press("Tab")
    await expect(ana.part("send-gift")).to_be_focused()
    await keyboard.press("Enter")

    await ana.shows_lane(ana.account, str(gift), 10)
    sent = (await site.get("/wallet/gifts", ana.account))["gifts"]
    assert [(each["gift"], each["count"]) for each in sent] == [(gift, 10)]


async def test_the_focus_stays_in_the_sheet_and_goes_back_to_where_it_was(people: People) -> None:
    room, _ = await people.room()
    ana = await people.viewer("Ana", room)
    await ana.part("gift-button").focus()
    await ana.page.keyboard.press("Enter")
    await expect(ana.part("gift-rose")).to_be_focused()
    stops = await ana.page.evaluate(
        """() => [...document.querySelectorAll('[data-testid=gift-sheet] button')]
                 .filter((node) => node.tabIndex >= 0 && node.checkVisibility()).length"""
    )
    for key in ("Tab", "Shift+Tab"):
        for _ in range(stops + 2):
            await ana.page.keyboard.press(key)
            assert await ana.page.evaluate("document.activeElement.closest('[data-testid=gift-sheet]') !== null")
    await ana.page.keyboard.press("Escape")
    await expect(ana.part("gift-sheet")).to_be_hidden()
    await expect(ana.part("gift-button")).to_be_focused()


async def test_a_stranger_signs_in_with_a_name_and_finds_the_room_in_the_lobby(people: People, site: Site) -> None:
    room, _ = await people.room("Noodles by hand")
    page = await people.pages.open("/")
    card = page.locator(f'[data-testid=room-card][data-room="{room}"]')
    await expect(card).to_contain_text("Noodles by hand")
    await expect(card).to_contain_text("Mira")
    await card.locator("a").click()
    screen = RoomScreen(page, room)
    await expect(screen.part("sign-in-sheet")).to_be_visible()
    await screen.part("sign-in").click()
    await expect(screen.part("sign-in-error")).to_have_text("Please enter a name.")
    await screen.part("sign-in-name").fill("Zoë")
    await page.keyboard.press("Enter")

    await screen.live()
    await screen.open_gifts()
    await screen.shows_balance(10_000)
    await expect(page.locator("[data-part=title]")).to_have_text("Noodles by hand")


async def test_one_press_on_a_desktop_sends_a_quick_gift(people: People, site: Site) -> None:
    room, _ = await people.room()
    ana = await people.viewer("Ana", room, size=DESKTOP)
    await ana.part("quick-gift-rose").click()
    await ana.shows_lane(ana.account, "rose", 1)
    await ana.shows_diamonds(1)
    assert await site.coins(ana.account) == 9_999
