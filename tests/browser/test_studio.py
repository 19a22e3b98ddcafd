"""The creator's page: from the title to the end of the room, with thanks and earnings in between."""

from __future__ import annotations

import asyncio

from playwright.async_api import Locator, expect

from tests.browser.people import People
from tests.browser.site import Account, Site
from tests.browser.studio_screen import StudioScreen
from tests.browser.waiting import until, until_equal


async def test_a_creator_signs_in_goes_live_and_ends_the_room_for_everyone(people: People, site: Site) -> None:
    page = await people.pages.open("/studio")
    studio = StudioScreen(page, Account("", "", ""))
    await studio.part("studio-name").fill("Mira")
    await studio.part("studio-sign-in").click()
    await studio.part("studio-start").click()
    await expect(studio.part("studio-start-error")).to_have_text("Please give the room a title.")
    await studio.part("studio-title").fill("Late piano")
    await page.keyboard.press("Enter")
    room = await studio.live()
    await expect(studio.part("studio-room-title")).to_have_text("Late piano")
    assert (await site.room(room))["state"] == "live"

    ana, ben = await asyncio.gather(people.viewer("Ana", room), people.viewer("Ben", room))
    await ana.open_gifts()
    await ana.send("perfume", count=10)
    await studio.shows_diamonds(200)
    await ben.shows_diamonds(200)

    await studio.part("studio-end").click()
    await studio.part("studio-end-cancel").click()
    await expect(studio.part("studio-end-dialog")).to_be_hidden()
    await expect(studio.part("studio-end")).to_be_focused()
    assert (await site.room(room))["state"] == "live"
    await studio.part("studio-end").click()
    await studio.part("studio-end-confirm").click()
    await expect(studio.part("studio-room-state")).to_have_text("ENDED")
    for viewer in (ana, ben):
        await expect(viewer.part("room-ended")).to_be_visible()
        await expect(viewer.part("ended-diamonds")).to_have_text("200")
        await expect(viewer.part("ended-gifts")).to_have_text("10")
        await expect(viewer.part("back-to-lobby")).to_be_focused()
    await expect(ana.part("gift-sheet")).to_be_hidden()
    assert (await site.room(room))["state"] == "ended"
    await studio.part("studio-back").click()
    await expect(page.locator(f'[data-testid=studio-room][data-room="{room}"]')).to_have_attribute(
        "data-state", "ended"
    )
    await ana.part("back-to-lobby").click()
    await expect(ana.part("lobby")).to_be_visible()
    await expect(ana.page.locator(f'[data-room="{room}"]')).to_have_count(0)
    late = await people.pages.open(f"/?room={room}")
    await late.get_by_test_id("sign-in-name").fill("Late")
    await late.get_by_test_id("sign-in").click()
    await expect(late.get_by_test_id("room-ended")).to_be_visible()


async def test_thanks_come_in_order_of_value_and_survive_a_reload(people: People, site: Site) -> None:
    room, creator = await people.room()
    studio = await people.studio(creator)
    await studio.live()
    ana, ben, cleo = [await site.login(name) for name in ("Ana", "Ben", "Cleo")]
    await site.give(ana, room, "rose", 2)
    await studio.shows_waiting(ana)
    await site.give(ben, room, "cap")
    await site.give(cleo, room, "perfume")
    await site.give(ana, room, "hand_hearts")
    await studio.shows_waiting(ana, ben, cleo)
    await expect(studio.part("thank-item").first).to_contain_text("Hand Hearts ×1")
    await expect(studio.part("thank-item").first).to_contain_text("Rose ×2")
    await expect(studio.part("thank-item").first).to_contain_text("102 coins")

    await studio.part("thank-next").click()
    await studio.shows_waiting(ben, cleo)
    await expect(studio.part("studio-announcer")).to_contain_text("Thanked Ana. Next: Ben, 99 coins.")
    await studio.page.keyboard.press("t")
    await studio.shows_waiting(cleo)
    await studio.page.reload()
    await studio.live()
    await studio.shows_waiting(cleo)
    await studio.page.locator("#thanked summary").click()
    await studio.page.get_by_role("button", name="Put Ana back").click()
    await studio.shows_waiting(ana, cleo)
    await studio.part("studio-chat-text").press("t")
    await studio.shows_waiting(ana, cleo)
    await site.give(ana, room, "rose")
    await expect(studio.part("thank-item").first).to_contain_text("103 coins")


async def test_pending_diamonds_become_settled_ones_and_nothing_is_lost_on_the_way(people: People, site: Site) -> None:
    room, creator = await people.room()
    studio = await people.studio(creator)
    await studio.live()
    ben = await site.login("Ben")
    for _ in range(3):
        await site.give(ben, room, "cap", 3)

    async def settled() -> tuple[int, int]:
        return await _value(studio.part("settled")), await _value(studio.part("pending"))

    await until_equal(settled, (891, 0), "settled and pending")
    earnings = (await site.get("/creator/earnings", creator))["diamonds"]
    assert earnings == {"settled": 891, "pending": 0}
    await studio.shows_diamonds(891)


async def test_the_minutes_add_up_to_what_was_earned_while_watching(people: People, site: Site) -> None:
    room, creator = await people.room()
    studio = await people.studio(creator)
    await studio.live()
    ben = await site.login("Ben")
    await site.give(ben, room, "cap", 2)
    await site.give(ben, room, "rose", 5)
    await studio.shows_diamonds(203)
    await studio.page.locator("#chart-table summary").click()

    async def minutes() -> int:
        cells = await studio.part("studio-per-minute-table").locator("td").all_inner_texts()
        return sum(int(cell.replace(",", "")) for cell in cells)

    await until_equal(minutes, 203, "the sum of the minutes")
    assert "203 in all" in str(await studio.page.locator("#chart svg").get_attribute("aria-label"))


async def test_the_overlay_link_carries_what_the_creator_chose(people: People) -> None:
    room, creator = await people.room()
    studio = await people.studio(creator)
    await studio.live()
    link = studio.part("overlay-url")
    await until(link.input_value, "the overlay's link")
    await studio.page.locator("input[name=show][value=ranking]").uncheck()
    await studio.page.locator("select[name=position]").select_option("top-right")
    address = await link.input_value()
    assert address.startswith(f"{people.pages.url}/overlay/{room}?")
    assert "show=alerts,counter" in address
    assert "position=top-right" in address
    overlay = await people.pages.open(address.removeprefix(people.pages.url))
    await expect(overlay.locator("html")).to_have_attribute("data-connection", "live")
    await expect(overlay.get_by_test_id("overlay-counter")).to_be_visible()
    await expect(overlay.locator("html")).to_have_attribute("data-position", "top-right")


async def _value(figure: Locator) -> int:
    return int(await figure.get_attribute("data-value") or -1)
