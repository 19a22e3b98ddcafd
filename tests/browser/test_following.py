"""The lobby shows whom a viewer follows: who is live first, with the way into the room, and unfollowing."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.pages import DESKTOP
from tests.browser.people import People
from tests.browser.site import Site
from tests.browser.standards import fits, passes


async def test_who_is_followed_is_in_the_lobby_leads_into_the_room_and_is_let_go(people: People, site: Site) -> None:
    room, mira = await people.room("Evening songs")
    over, noor = await people.room("Over soon", "Noor")
    await site.end_room(noor, over)
    viewer = await site.login("Ana")
    for creator in (mira, noor):
        await site.put(f"/creators/{creator.id}/follow", viewer)

    page = await people.lobby(viewer)
    followed = page.get_by_test_id("followed-creator")
    await expect(followed).to_have_count(2)
    await expect(followed.first).to_contain_text("Evening songs")
    await expect(followed.last).to_contain_text("1 follower")
    await expect(followed.last.get_by_role("link")).to_have_count(0)
    await fits(page)
    await passes(page)
    await page.set_viewport_size(DESKTOP)
    await fits(page)

    await followed.last.get_by_role("button", name="Follow Noor").click()
    await expect(followed.last.get_by_role("button")).to_have_attribute("aria-pressed", "false")
    assert [each["creator"]["id"] for each in (await site.get("/account/following", viewer))["creators"]] == [mira.id]
    await page.reload()
    await expect(followed).to_have_count(1)
    await followed.get_by_role("link", name="Mira is live: Evening songs").click()
    await expect(page.locator("html")).to_have_attribute("data-connection", "live")
    assert page.url.endswith(f"?room={room}")

    stranger = await people.pages.open("/")
    await expect(stranger.get_by_test_id("room-card").first).to_be_visible()
    await expect(stranger.get_by_test_id("following")).to_be_hidden()
