"""A gift from the sheet: paid once, seen by everyone in the room, counted alike on every screen."""

from __future__ import annotations

import asyncio
import json

from playwright.async_api import WebSocketRoute, expect

from tests.browser.pages import MOVING, PHONE
from tests.browser.people import People
from tests.browser.room_screen import RoomScreen
from tests.browser.site import Site
from tests.browser.waiting import until_equal


async def test_a_gift_is_seen_by_everyone_and_counted_alike_on_every_screen(people: People, site: Site) -> None:
    room, creator = await people.room("Late piano")
    ana, ben, studio = await asyncio.gather(
        people.viewer("Ana", room, **MOVING), people.viewer("Ben", room, **MOVING), people.studio(creator, **MOVING)
    )
    assert await studio.live() == room
    await ana.open_gifts()
    await ana.send("doughnut", count=10)

    await ben.shows_lane(ana.account, "doughnut", 10)
    await ana.shows_lane(ana.account, "doughnut", 10)
    await ana.shows_balance(10_000 - 300)
    assert await site.coins(ana.account) == 10_000 - 300
    for screen in (ana, ben, studio):
        await screen.shows_diamonds(300)
        await screen.shows_viewers(3)
    await until_equal(lambda: site.diamonds(room), 300, "the room's diamonds")
    await until_equal(lambda: site.viewers(room), 3, "the room's viewers")
    await expect(studio.part("studio-gifts")).to_have_text("10")


async def test_the_price_is_off_the_balance_before_the_answer_and_the_answer_is_the_truth(people: People) -> None:
    room, _ = await people.room()
    answers: list[tuple[WebSocketRoute, str]] = []

    def hold_answers(socket: WebSocketRoute) -> None:
        def from_server(message: str | bytes) -> None:
            assert isinstance(message, str)
            if json.loads(message)["type"] == "gift_ack":
                answers.append((socket, message))
            else:
                socket.send(message)

        socket.connect_to_server().on_message(from_server)

    screen = RoomScreen(await people.pages.blank(size=PHONE), room)
    await screen.page.route_web_socket("**/ws", hold_answers)
    await people.enter(screen, await people.site.login("Ana"))
    await screen.open_gifts()
    await screen.shows_balance(10_000)
    await screen.send("cap")

    await screen.shows_balance(9_901)

    async def answered() -> int:
        return len(answers)

    await until_equal(answered, 1, "answers")
    assert await screen.balance() == 9_901
    socket, answer = answers[0]
    socket.send(json.dumps({**json.loads(answer), "coins": 4_711}))
    await screen.shows_balance(4_711)


async def test_the_three_who_gave_most_stand_at_the_top_in_order(people: People, site: Site) -> None:
    room, creator = await people.room()
    viewer, studio = await asyncio.gather(people.viewer("Ana", room), people.studio(creator))
    ben, cleo, dan = [await site.login(name) for name in ("Ben", "Cleo", "Dan")]
    await site.give(ben, room, "rose", 5)
    await viewer.shows_top(ben)
    await site.give(cleo, room, "rose", 7)
    await viewer.shows_top(cleo, ben)
    await site.give(dan, room, "rose", 6)
    await viewer.shows_top(cleo, dan, ben)
    await site.give(ben, room, "rose", 3)
    await viewer.shows_top(ben, cleo, dan)
    await studio.shows_top(ben, cleo, dan)
    assert await site.top(room) == [ben.id, cleo.id, dan.id]

    await viewer.part("open-ranking").click()
    rows = viewer.part("ranking-panel").get_by_test_id("ranking-row")
    await expect(rows).to_have_count(3)
    for place, (account, coins) in enumerate([(ben, "8"), (cleo, "7"), (dan, "6")]):
        await expect(rows.nth(place)).to_have_attribute("data-user", account.id)
        await expect(rows.nth(place)).to_contain_text(f"{place + 1}{account.name[0]}{account.name}")
        await expect(rows.nth(place).locator(".ranking-coins")).to_have_text(coins)


async def test_too_few_coins_are_explained_and_change_nothing(people: People, site: Site) -> None:
    room, _ = await people.room()
    viewer = await people.viewer("Ana", room)
    await viewer.open_gifts()
    await viewer.send("sports_car", "epic", 10)

    await expect(viewer.part("toast")).to_contain_text("You do not have enough coins")
    await viewer.shows_balance(10_000)
    assert await site.coins(viewer.account) == 10_000
    assert await site.diamonds(room) == 0
    assert (await site.get("/wallet/gifts", viewer.account))["gifts"] == []
    await viewer.part("toast-recharge").click()
    await expect(viewer.part("wallet-sheet")).to_be_visible()
    await expect(viewer.part("wallet-coins")).to_have_text("10,000")


async def test_a_gift_is_in_the_wallets_history_from_its_acknowledgement(people: People) -> None:
    room, _ = await people.room()
    viewer = await people.viewer("Ana", room)
    await viewer.open_gifts()
    await viewer.send("perfume", count=10)
    await viewer.shows_lane(viewer.account, "perfume", 10)
    await viewer.part("recharge").click()

    row = viewer.part("gift-history").locator("li")
    await expect(row).to_have_count(1)
    await expect(row).to_contain_text("Perfume ×10")
    await expect(row).to_contain_text("200")

    async def status_after_reopening() -> str | None:
        await viewer.page.keyboard.press("Escape")
        await expect(viewer.part("wallet-sheet")).to_be_hidden()
        await viewer.part("recharge").click()
        await expect(row).to_have_count(1)
        return await row.get_attribute("data-status")

    await until_equal(status_after_reopening, "settled", "the gift's status")
