"""Every page fits a phone and a desktop, and can be hit with a thumb."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.pages import DESKTOP, PHONE
from tests.browser.people import People
from tests.browser.standards import fits

NARROW = {"width": 320, "height": 568}

THUMB_PX_MIN = 44
"""What a thumb hits without looking: the controls of the room and of the gift sheet."""
THUMB_CONTROLS = ("gift-button", "like-button", "chat-send", "leave", "open-ranking", "send-gift", "qty-1", "gift-rose")


async def test_the_lobby_and_the_sign_in_fit(people: People) -> None:
    await people.room("A title that is rather long, to see whether the card can hold it")
    page = await people.pages.open("/")
    await expect(page.get_by_test_id("room-card").first).to_be_visible()
    await fits(page)
    await page.get_by_test_id("lobby-sign-in").click()
    await expect(page.get_by_test_id("sign-in-sheet")).to_be_visible()
    await fits(page)


async def test_the_room_and_its_sheets_fit(people: People) -> None:
    room, _ = await people.room("A title that is rather long, to see whether the header can hold it", "M" * 40)
    viewer = await people.viewer("W" * 40, room)
    await viewer.open_gifts()
    await viewer.send("cap", count=10)
    await viewer.shows_lane(viewer.account, "cap", 10)
    await fits(viewer.page)
    await viewer.part("recharge").click()
    await expect(viewer.part("gift-history").locator("li")).to_have_count(1)
    await fits(viewer.page)
    await viewer.close_sheets()
    await viewer.say("w" * 200)
    await expect(viewer.part("chat-line")).to_have_count(1)
    await fits(viewer.page)
    await viewer.part("open-ranking").click()
    await expect(viewer.part("ranking-panel")).to_be_visible()
    await fits(viewer.page)


async def test_the_room_fits_the_narrowest_phones(people: People) -> None:
    room, _ = await people.room()
    viewer = await people.viewer("Ana", room, size=NARROW)
    await fits(viewer.page, NARROW)
    await viewer.open_gifts()
    await fits(viewer.page, NARROW)
    await expect(viewer.part("send-gift")).to_be_in_viewport()


async def test_the_studiofits(people: People) -> None:
    creator = await people.site.login("M" * 40)
    studio = await people.studio(creator)
    await expect(studio.part("studio-lobby")).to_be_visible()
    await fits(studio.page)
    await studio.part("studio-title").fill("T" * 80)
    await studio.part("studio-start").click()
    await studio.live()
    await fits(studio.page)
    await studio.part("studio-end").click()
    await fits(studio.page)


async def test_what_is_pressed_all_the_time_is_large_enough_for_a_thumb(people: People) -> None:
    room, _ = await people.room()
    viewer = await people.viewer("Ana", room)
    await viewer.open_gifts()
    for control in THUMB_CONTROLS:
        box = await viewer.part(control).bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= THUMB_PX_MIN, (control, box)


async def test_the_stage_fills_a_phone_and_leaves_room_for_panels_on_a_desktop(people: People) -> None:
    room, _ = await people.room()
    phone = await people.viewer("Ana", room)
    stage = await phone.page.locator(".stage").bounding_box()
    assert stage == {"x": 0, "y": 0, **PHONE}
    desktop = await people.viewer("Ben", room, size=DESKTOP)
    stage, chat = [await desktop.page.locator(f".{name}").bounding_box() for name in ("stage", "chat")]
    assert stage is not None
    assert chat is not None
    assert stage["x"] + stage["width"] <= chat["x"]


async def test_the_buttons_below_the_stage_stay_inside_it_and_a_sheet_follows_the_window(people: People) -> None:
    room, _ = await people.room()
    ben = await people.viewer("Ben", room, size=DESKTOP)
    for width in (900, 1099, 1100, 1149, 1150, 1269, 1270, 1280, 1359, 1360, 1600):
        await ben.page.set_viewport_size({"width": width, "height": 800})
        stage = await ben.page.locator(".stage").bounding_box()
        first = await ben.page.locator(".quick-gifts").bounding_box()
        last = await ben.part("gift-button").bounding_box()
        assert stage is not None
        assert first is not None
        assert last is not None
        assert stage["x"] < first["x"], width
        assert last["x"] + last["width"] < stage["x"] + stage["width"], width
    await ben.open_gifts()
    await ben.part("recharge").click()
    await ben.page.set_viewport_size(PHONE)
    panel = ben.part("wallet-sheet").locator(".sheet-panel")
    await expect(panel).to_have_css("width", f"{PHONE['width']}px")
