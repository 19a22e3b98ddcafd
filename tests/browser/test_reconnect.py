"""Lost connections: a page comes back by itself, misses no gift, and shows none twice."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import orjson
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from server.stores.data_folder import Running
from tests.browser.pages import Pages
from tests.browser.people import People
from tests.browser.recorders import lanes_shown, record_lanes, record_stage, stage_shown
from tests.browser.site import Site
from tests.browser.waiting import until, until_equal
from tests.serve_process import ServeProcess

CUTS = "WebSocket connection|net::ERR_|Failed to load resource"
"""What browsers log when a server is away."""

DRAWS_LOW = "Math.random = () => 0.1;"
"""A page draws how long it waits before it comes back: always a tenth of the most that it may wait."""


class Fragile:
    """A server of its own whose parts can be killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._start(0)

    def _start(self, port: int) -> None:
        self.process = ServeProcess(self._folder, "--demo", port=port, GIFTSTREAM_DEMO_BOTS="0")
        self.url = self.process.url

    def kill(self, part: str) -> None:
        """SIGKILL the parts whose name begins so."""
        note = Running(**orjson.loads((self._folder / "run.json").read_bytes()))
        for name, pid in note.pids.items():
            if name.startswith(part):
                os.kill(pid, signal.SIGKILL)

    def restart(self) -> None:
        """Stop everything in order, and start it again on the same port."""
        assert self.process.end() == 0
        self.process.close()
        self._start(int(self.url.rpartition(":")[2]))


@pytest.fixture(scope="module")
def fragile(browser: Browser, stores_folder: Path) -> Iterator[Fragile]:
    """The server of these tests."""
    fragile = Fragile(stores_folder / "fragile-serve" / "data")
    yield fragile
    fragile.process.close()
    shutil.rmtree(fragile.process.data_dir, ignore_errors=True)


@pytest_asyncio.fixture(loop_scope="session")
async def site(fragile: Fragile, http: aiohttp.ClientSession) -> Site:
    """In place of the suite's own server."""
    return Site(fragile.url, http)


@pytest_asyncio.fixture(loop_scope="session")
async def pages(browser: Browser, site: Site) -> AsyncIterator[Pages]:
    """Pages that may log that the server was away, and nothing else."""
    pages = Pages(browser, site.url, scripts=(DRAWS_LOW,))
    pages.allow(CUTS)
    yield pages
    await pages.close()
    assert not pages.unexpected()


async def test_after_a_cut_the_missed_gifts_are_shown_once_each(people: People, site: Site) -> None:
    room, _ = await people.room()
    ana = await people.viewer("Ana", room)
    ben, cleo = await site.login("Ben"), await site.login("Cleo")
    await record_stage(ana.page)
    await record_lanes(ana.page)
    await site.give(ben, room, "money_gun")
    await until_equal(lambda: stage_shown(ana.page), [["money_gun", "Ben"]], "what took the stage")
    await expect(ana.part("stage-animation")).to_be_hidden()
    await ana.page.context.set_offline(True)
    await expect(ana.page.locator("html")).not_to_have_attribute("data-connection", "live")
    await expect(ana.part("connection")).to_contain_text("offline")
    await site.give(cleo, room, "trophy")
    await site.give(ben, room, "cap", 2)
    await ana.shows_diamonds(500)

    await ana.page.context.set_offline(False)
    await ana.live()
    await ana.shows_diamonds(500 + 599 + 198)
    await until_equal(lambda: stage_shown(ana.page), [["money_gun", "Ben"], ["trophy", "Cleo"]], "what took the stage")
    assert sorted(await lanes_shown(ana.page)) == sorted([[ben.id, "money_gun"], [cleo.id, "trophy"], [ben.id, "cap"]])
    assert await site.diamonds(room) == 1_297
    await ana.shows_top(ben, cleo)


async def test_killed_gateways_cost_no_gift_and_charge_none_twice(people: People, site: Site, fragile: Fragile) -> None:
    room, creator = await people.room()
    ana, studio = await asyncio.gather(people.viewer("Ana", room), people.studio(creator))
    await studio.live()
    await ana.open_gifts()
    await ana.choose("perfume")
    await ana.part("send-gift").click()
    await ana.shows_diamonds(20)
    fragile.kill("gateway")
    for _ in range(3):
        await ana.part("send-gift").click()

    await ana.shows_diamonds(80)
    await studio.shows_diamonds(80)
    await ana.shows_balance(9_920)
    await ana.live()
    assert await site.coins(ana.account) == 9_920
    assert await site.diamonds(room) == 80
    gifts = (await site.get("/wallet/gifts", ana.account))["gifts"]
    assert len(gifts) == len({gift["gift_id"] for gift in gifts}) == 4
    await asyncio.to_thread(fragile.process.wait_for, lambda: _told(fragile, "is back") >= 2, "both gateways")


async def test_a_killed_valkey_refuses_nothing_for_good(people: People, site: Site, fragile: Fragile) -> None:
    room, _ = await people.room()
    ana = await people.viewer("Ana", room)
    await ana.open_gifts()
    await ana.send("perfume")
    await ana.shows_diamonds(20)
    fragile.kill("Valkey")

    async def goes_on() -> bool:
        await ana.part("send-gift").click()
        return await site.diamonds(room) > 20 if await _answers(site) else False

    await until(goes_on, "a gift after the restart")

    async def agrees() -> bool:
        spent = 10_000 - await site.coins(ana.account)
        diamonds = await site.diamonds(room)
        shown = await ana.part("diamonds").get_attribute("data-value")
        return spent == diamonds == int(shown or 0) and await ana.balance() == 10_000 - spent

    await until(agrees, "wallet, room and page to agree")


async def test_everything_stopped_and_started_again_is_where_it_was(
    people: People, site: Site, fragile: Fragile
) -> None:
    room, creator = await people.room()
    ana, studio, overlay = await asyncio.gather(
        people.viewer("Ana", room), people.studio(creator), people.overlay(creator, room, "?show=alerts,counter")
    )
    await studio.live()
    await ana.open_gifts()
    await ana.send("cap", count=10)
    for screen in (ana, studio, overlay):
        await screen.shows_diamonds(990)

    await asyncio.to_thread(fragile.restart)
    await asyncio.gather(ana.live(), studio.live(), overlay.live())
    ben = await site.login("Ben")
    await site.give(ben, room, "perfume", 2)
    for screen in (ana, studio, overlay):
        await screen.shows_diamonds(1_030)
    await overlay.shows_alert("Ben", "perfume", 2)
    await ana.shows_lane(ben, "perfume", 2)
    await ana.shows_viewers(2)
    await ana.part("send-gift").click()
    await ana.shows_diamonds(1_030 + 990)  # the balance on the page is there before the server's answer
    await ana.shows_balance(10_000 - 2 * 990)
    assert await site.coins(ana.account) == 10_000 - 2 * 990


def _told(fragile: Fragile, words: str) -> int:
    return sum(words in line for line in fragile.process.lines)


async def _answers(site: Site) -> bool:
    async with site.http.get(f"{site.url}/readyz") as answer:
        return answer.status == 200
