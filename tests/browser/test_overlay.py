"""The overlay in a streaming program: transparent, exact, and able to do nothing but watch."""

from __future__ import annotations

import itertools

import aiohttp
from playwright.async_api import expect

from tests.browser.pages import MOVING
from tests.browser.people import People
from tests.browser.pixels import alpha_at_the_top
from tests.browser.site import Site
from tests.browser.waiting import until


async def test_it_shows_alerts_counter_and_ranking_on_a_transparent_page(people: People, site: Site) -> None:
    room, creator = await people.room()
    overlay = await people.overlay(creator, room, **MOVING)
    assert await overlay.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgba(0, 0, 0, 0)"
    assert (
        await overlay.page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgba(0, 0, 0, 0)"
    )
    ana, ben = await site.login("Ana"), await site.login("Ben")
    await site.give(ben, room, "cap", 2)
    await overlay.shows_alert("Ben", "cap", 2)
    assert await alpha_at_the_top(overlay.page, await people.pages.blank()) == {0}
    await site.give(ana, room, "galaxy")
    await overlay.shows_alert("Ana", "galaxy", 1)
    await expect(overlay.part("alert")).to_have_attribute("data-tier", "large")
    await overlay.shows_diamonds(1_198)
    await expect(overlay.part("rank").nth(0)).to_contain_text("Ana")
    await expect(overlay.part("rank").nth(1)).to_contain_text("Ben")
    await expect(overlay.part("rank").nth(2)).to_be_hidden()
    await expect(overlay.part("alert")).to_have_count(0)


async def test_a_combo_grows_in_its_alert(people: People, site: Site) -> None:
    room, creator = await people.room()
    overlay = await people.overlay(creator, room, "?show=alerts")
    numbers = itertools.count(1)

    async def grew_in_place() -> bool:
        """A slow machine may end a combo, or its alert, between two gifts: then someone else tries."""
        sender = await site.login(f"Viewer {next(numbers)}")
        await site.give(sender, room, "rose", 2)
        await overlay.shows_alert(sender.name, "rose", 2)
        await overlay.page.evaluate(
            """(mark) => document.querySelector("[data-testid=overlay-alert]")?.setAttribute("data-mark", mark)""",
            sender.id,
        )
        if (await site.give(sender, room, "rose", 3))["combo"] != 5:
            return False
        await overlay.shows_alert(sender.name, "rose", 5)
        marked = overlay.page.locator(f'[data-mark="{sender.id}"]')
        return await marked.filter(has_text="×5").filter(has_text="5 coins").count() == 1

    await until(grew_in_place, "a combo in one alert")
    await expect(overlay.part("alert")).to_have_count(0)


async def test_its_address_chooses_parts_sizes_and_what_raises_an_alert(people: People, site: Site) -> None:
    room, creator = await people.room()
    ben = await site.login("Ben")
    await site.give(ben, room, "rose")
    overlay = await people.overlay(
        creator, room, "?show=alerts,ranking&min_coins=50&theme=light&position=top-right&top=5"
    )
    page = overlay.page.locator("html")
    await expect(page).to_have_attribute("data-theme", "light")
    await expect(page).to_have_attribute("data-position", "top-right")
    await expect(overlay.part("counter")).to_be_hidden()
    await expect(overlay.part("rank")).to_have_count(5)
    await expect(overlay.part("ranking")).to_be_visible()
    box = await overlay.part("ranking").bounding_box()
    assert box is not None
    assert box["x"] > 640
    assert box["y"] < 400
    await site.give(ben, room, "perfume")
    await expect(overlay.part("rank").first).to_contain_text("21")
    assert await overlay.part("alert").count() == 0
    await site.give(ben, room, "cap")
    await overlay.shows_alert("Ben", "cap", 1)


async def test_wrong_values_in_its_address_are_the_defaults(people: People, site: Site) -> None:
    room, creator = await people.room()
    overlay = await people.overlay(
        creator, room, "?show=nothing&min_coins=-5&theme=<b>&position=outside&top=99&unknown=1"
    )
    page = overlay.page.locator("html")
    await expect(page).to_have_attribute("data-theme", "dark")
    await expect(page).to_have_attribute("data-position", "bottom-left")
    await expect(page).to_have_attribute("data-show", "alerts counter ranking")
    await expect(overlay.part("rank")).to_have_count(3)
    await site.give(await site.login("Ben"), room, "rose")
    await overlay.shows_alert("Ben", "rose", 1)
    await overlay.shows_diamonds(1)


async def test_without_a_good_token_it_shows_nothing(people: People) -> None:
    room, _ = await people.room()
    for token in ("", "#token=eyJhbGciOiJub25lIn0.e30."):
        page = await people.pages.open(f"/overlay/{room}{token}")
        await expect(page.locator("html")).to_have_attribute("data-connection", "refused")
        await expect(page.get_by_test_id("overlay")).to_be_hidden()


async def test_its_token_can_watch_and_nothing_else(people: People, site: Site) -> None:
    room, creator = await people.room()
    other, _ = await people.room()
    token = (await site.get(f"/rooms/{room}/overlay-token", creator))["token"]
    async with site.http.ws_connect(f"{site.url}/ws") as socket:
        await socket.send_json({"type": "hello", "token": token})
        assert (await _frame(socket, "welcome"))["type"] == "welcome"
        await socket.send_json({"type": "join", "room": room})
        await _frame(socket, "joined")
        await socket.send_json({"type": "gift", "id": "1", "room": room, "gift": "rose", "count": 1})
        assert (await _frame(socket, "gift_nack"))["code"] == "forbidden"
        await socket.send_json({"type": "chat", "id": "2", "room": room, "text": "hello"})
        assert (await _frame(socket, "nack"))["code"] == "forbidden"
        await socket.send_json({"type": "join", "room": other})
        assert (await _frame(socket, "error"))["code"] == "forbidden"
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "1"}
    gift = site.http.post(f"{site.url}/api/v1/rooms/{room}/gifts", json={"gift": "rose", "count": 1}, headers=headers)
    async with gift as answer:
        assert answer.status == 403
    assert await site.diamonds(room) == 0


async def _frame(socket: aiohttp.ClientWebSocketResponse, kind: str) -> dict[str, str]:
    while True:
        frame: dict[str, str] = await socket.receive_json(timeout=30)
        if frame["type"] == kind:
            return frame
