"""Big gifts take the stage: one at a time, one's own first, then the more valuable."""

from __future__ import annotations

import asyncio

from playwright.async_api import expect

from tests.browser.pages import MOVING, PHONE
from tests.browser.people import People
from tests.browser.quick_frames import count_frames, set_speed
from tests.browser.recorders import record_stage, stage_shown
from tests.browser.room_screen import RoomScreen
from tests.browser.site import Site
from tests.browser.waiting import until_equal

PLAYING = """() => document.getAnimations().filter(({ playState, effect }) =>
  playState === "running" && effect.target.closest("[data-testid=stage-animation]")).length"""


LONG = """() => document.getAnimations().filter(({ playState, effect }) =>
  playState === "running" && effect.getComputedTiming().duration > 1).length"""
"""Animations that take longer than a frame."""

BACKDROP_MOVES = """async () => {
  const picture = () => document.querySelector("[data-part=backdrop]").toDataURL();
  const before = picture();
  for (let frame = 0; frame < 20; frame += 1) await new Promise(requestAnimationFrame);
  return picture() !== before;
}"""


async def test_big_gifts_play_one_at_a_time_ones_own_first_then_the_more_valuable(people: People, site: Site) -> None:
    room, _ = await people.room()
    ana = RoomScreen(await people.pages.blank(size=PHONE, **MOVING), room)
    await count_frames(ana.page)
    await people.enter(ana, await site.login("Ana"))
    ben, cleo = await site.login("Ben"), await site.login("Cleo")
    await record_stage(ana.page)
    await site.give(ben, room, "private_jet")
    await expect(ana.part("stage-animation")).to_have_attribute("data-gift", "private_jet")
    assert await ana.page.evaluate(PLAYING) > 0
    # While the first plays, three more arrive in one moment.
    await set_speed(ana.page, 0.01)
    await asyncio.gather(
        site.give(ben, room, "money_gun"),
        site.give(cleo, room, "fireworks"),
        site.give(ana.account, room, "trophy"),
    )
    await expect(ana.part("diamonds")).to_have_attribute("data-value", str(8_500 + 500 + 1_200 + 599))
    await set_speed(ana.page, 5)

    expected = [["private_jet", "Ben"], ["trophy", "Ana"], ["fireworks", "Cleo"], ["money_gun", "Ben"]]
    await until_equal(lambda: stage_shown(ana.page), expected, "what took the stage")
    await expect(ana.part("stage-animation")).to_have_count(1)
    await expect(ana.part("stage-animation")).to_be_hidden()
    assert await ana.page.evaluate(PLAYING) == 0


async def test_small_gifts_stay_in_the_tray(people: People, site: Site) -> None:
    room, _ = await people.room()
    ana = await people.viewer("Ana", room, **MOVING)
    ben = await site.login("Ben")
    await record_stage(ana.page)
    await site.give(ben, room, "toast")
    await ana.shows_lane(ben, "toast", 1)
    assert await ana.page.evaluate(BACKDROP_MOVES) is True
    await site.give(ben, room, "money_gun")
    await until_equal(lambda: stage_shown(ana.page), [["money_gun", "Ben"]], "what took the stage")


async def test_with_reduced_motion_a_still_card_stands_in(people: People, site: Site) -> None:
    room, _ = await people.room()
    ana = await people.viewer("Ana", room, reduced_motion="reduce")
    ben = await site.login("Ben")
    await site.give(ben, room, "fireworks")
    stage = ana.part("stage-animation")
    await expect(stage).to_have_attribute("data-gift", "fireworks")
    assert await ana.page.evaluate(LONG) == 0
    await expect(stage.locator(".stage-art")).to_have_css("opacity", "1")
    await expect(stage.locator(".stage-sender")).to_have_text("Ben")
    await ana.part("like-button").click()
    assert await ana.page.evaluate(LONG) == 0
    await ana.open_gifts()
    await ana.send("rose")
    await ana.shows_lane(ana.account, "rose", 1)
    assert await ana.page.evaluate(LONG) == 0
    await ana.shows_diamonds(1_201)
    assert await ana.page.locator("[data-part=particles]").is_hidden()
    assert await ana.page.evaluate(BACKDROP_MOVES) is False
