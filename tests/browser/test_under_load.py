"""A busy room: 500 gifts a second leave the counters exact and the page no heavier than it was."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from playwright.async_api import CDPSession, expect

from tests.browser.crowd import Crowd
from tests.browser.pages import MOVING
from tests.browser.people import People
from tests.browser.site import Site
from tests.browser.waiting import until_equal

GIFTS_PER_SECOND = 500
SECONDS = 4
SENDERS = 16
GIFTS = ("rose", "clover", "lollipop", "coffee", "finger_heart")
LANES = 3

NODES_MAX = 4_000
GROWTH_MAX = {"Elements": 15, "Nodes": 150, "JSEventListeners": 30, "JSHeapUsedSize": 1_000_000}
"""What a page may hold more after the second half than after the first: elements of the
document, nodes in memory, listeners, bytes. One node kept for each gift would be 1,000."""

_WATCH = """
() => {
  window.lanesMost = 0;
  window.framesDrawn = 0;
  const look = () => {
    window.framesDrawn += 1;
    window.lanesMost = Math.max(window.lanesMost, document.querySelectorAll("[data-testid=lane].is-shown").length);
    requestAnimationFrame(look);
  };
  look();
}
"""


async def test_500_gifts_a_second_leave_counters_exact_and_memory_flat(people: People, site: Site) -> None:
    room, creator = await people.room()
    viewer, studio, overlay = await asyncio.gather(
        people.viewer("Ana", room, **MOVING), people.studio(creator, **MOVING), people.overlay(creator, room, **MOVING)
    )
    await studio.live()
    await viewer.page.evaluate(_WATCH)
    sessions = [await screen.page.context.new_cdp_session(screen.page) for screen in (viewer, studio, overlay)]

    crowd = await Crowd.enter(site, room, SENDERS)
    await crowd.send(GIFTS, gifts_per_second=GIFTS_PER_SECOND, seconds=SECONDS // 2)
    await until_equal(partial(_gifts, site, room), crowd.accepted, "the room's gifts")
    for screen in (viewer, studio, overlay):
        await screen.shows_diamonds(await site.diamonds(room))
    await expect(studio.part("thank-item")).to_have_count(SENDERS)
    half_way = [await _weight(session) for session in sessions]
    await crowd.send(GIFTS, gifts_per_second=GIFTS_PER_SECOND, seconds=SECONDS // 2)
    await crowd.leave()
    assert crowd.accepted == GIFTS_PER_SECOND * SECONDS

    await until_equal(partial(_gifts, site, room), crowd.accepted, "the room's gifts")
    total = await site.room(room)
    for screen in (viewer, studio, overlay):
        await screen.shows_diamonds(total["diamonds"])
    await until_equal(partial(site.viewers, room), 2, "the room's viewers")
    for screen in (viewer, studio):
        await screen.shows_viewers(2)
    assert (await site.get("/creator/earnings", creator))["rooms"][0]["diamonds"] == total["diamonds"]
    assert 0 < await viewer.page.evaluate("window.lanesMost") <= LANES
    assert await viewer.page.evaluate("window.framesDrawn") > SECONDS
    for before, session in zip(half_way, sessions, strict=True):
        await until_equal(partial(_grown, before, session), [], "what the page holds more than before")


async def _gifts(site: Site, room: str) -> int:
    return int((await site.room(room))["gifts"])


async def _grown(before: dict[str, Any], session: CDPSession) -> list[str]:
    after = await _weight(session)
    assert after["Nodes"] < NODES_MAX
    return [
        f"{name}: {after[name] - before[name]}"
        for name, most in GROWTH_MAX.items()
        if after[name] - before[name] > most
    ]


async def _weight(session: CDPSession) -> dict[str, Any]:
    """What the page holds when everything that can be freed is freed."""
    await session.send("HeapProfiler.collectGarbage")
    await session.send("Performance.enable")
    count = {"expression": "document.getElementsByTagName('*').length"}
    elements = (await session.send("Runtime.evaluate", count))["result"]["value"]
    metrics = (await session.send("Performance.getMetrics"))["metrics"]
    return {"Elements": elements} | {each["name"]: each["value"] for each in metrics}
