"""Every page passes axe's rules in both colour schemes, has names and roles, and tells what happens."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.pages import PHONE
from tests.browser.people import People
from tests.browser.site import Site
from tests.browser.standards import SCHEMES, passes


async def test_the_lobby_and_the_sign_in(people: People) -> None:
    page = await people.pages.open("/", size=PHONE)
    await expect(page.get_by_test_id("room-card").first).to_be_visible()
    await passes(page)
    await page.get_by_test_id("lobby-sign-in").click()
    await expect(page.get_by_test_id("sign-in-name")).to_be_focused()
    await passes(page)


async def test_the_room_and_its_sheets(people: People) -> None:
    room, creator = await people.room()
    viewer = await people.viewer("Ana", room)
    await viewer.say("good evening")
    await expect(viewer.part("chat-line")).to_have_count(1)
    await viewer.open_gifts()
    await viewer.send("cap")
    await viewer.shows_lane(viewer.account, "cap", 1)
    await passes(viewer.page)
    await viewer.part("recharge").click()
    await expect(viewer.part("gift-history").locator("li")).to_have_count(1)
    await passes(viewer.page)
    await viewer.close_sheets()
    await passes(viewer.page)
    await viewer.part("open-ranking").click()
    await expect(viewer.part("ranking-panel").get_by_test_id("ranking-row")).to_have_count(1)
    await passes(viewer.page)
    await people.site.end_room(creator, room)
    await expect(viewer.part("room-ended")).to_be_visible()
    await passes(viewer.page)


async def test_the_studio(people: People, site: Site) -> None:
    stranger = await people.pages.open("/studio")
    await expect(stranger.get_by_test_id("studio-sign-in-view")).to_be_visible()
    await passes(stranger)
    creator = await site.login("Mira")
    studio = await people.studio(creator)
    await expect(studio.part("studio-lobby")).to_be_visible()
    await passes(studio.page)
    await studio.part("studio-title").fill("Late piano")
    await studio.part("studio-start").click()
    room = await studio.live()
    await site.give(await site.login("Ben"), room, "cap", 3)
    await expect(studio.part("thank-item")).to_have_count(1)
    await passes(studio.page)
    await studio.part("open-money").click()
    await expect(studio.part("breakdown-row")).to_have_count(1)
    await passes(studio.page)
    await studio.part("step-up-change").click()
    await expect(studio.part("step-up-secret")).to_be_visible()
    await passes(studio.page)
    await studio.page.keyboard.press("Escape")
    await expect(studio.part("step-up")).to_be_hidden()
    await studio.part("open-studio").click()
    await studio.part("studio-end").click()
    await expect(studio.part("studio-end-dialog")).to_be_visible()
    await passes(studio.page)


async def test_the_colour_schemes_differ(people: People) -> None:
    backgrounds = set()
    for scheme in SCHEMES:
        page = await people.pages.open("/", color_scheme=scheme)
        backgrounds.add(await page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))
    assert len(backgrounds) == 2


async def test_what_happens_is_told_in_short_summaries(people: People, site: Site) -> None:
    room, _ = await people.room()
    viewer = await people.viewer("Ana", room)
    region = viewer.part("announcer")
    await expect(region).to_have_attribute("aria-live", "polite")
    ben, cleo = await site.login("Ben"), await site.login("Cleo")
    await site.give(ben, room, "rose", 3)
    await site.give(cleo, room, "corgi")
    await expect(region).to_have_text("Cleo sent Corgi, and 3 more gifts arrived")


async def test_controls_have_names_and_say_their_state(people: People) -> None:
    room, _ = await people.room()
    viewer = await people.viewer("Ana", room)
    page = viewer.page
    await expect(page.get_by_role("button", name="Like")).to_be_visible()
    await expect(page.get_by_role("link", name="Leave the room")).to_be_visible()
    await expect(page.get_by_role("textbox", name="Chat message")).to_be_visible()
    await page.get_by_role("button", name="Gift", exact=True).click()
    await expect(page.get_by_role("dialog", name="Send a gift")).to_be_visible()
    await page.get_by_role("tab", name="Epic").click()
    await expect(page.get_by_role("tab", name="Epic")).to_have_attribute("aria-selected", "true")
    await expect(page.get_by_role("tabpanel", name="Epic")).to_be_visible()
    await page.get_by_role("radio", name="Sports Car, 7,000 coins").click()
    await expect(page.get_by_role("radio", name="Sports Car, 7,000 coins")).to_be_checked()
    await expect(page.get_by_role("radio", name="Quantity 1", exact=True)).to_be_checked()
