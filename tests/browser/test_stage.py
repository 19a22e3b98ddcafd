"""Big gifts take the stage: one at a time, one's own first, then the more valuable."""

from __future__ import annotations

import asyncio

from playwright.async_api import expect

from tests.browser.people import People
from tests.browser.recorders import record_stage, stage_shown
from tests.browser.site import Site
from tests.browser.waiting import until_equal

MOVING = """() => document.getAnimations().filter(({ playState, effect }) =>
  playState === "running" && effect.target.closest("[data-testid=stage-animation]")).length"""


async def test_big_gifts_play_one_at_a_time_ones_own_first_then_the_more_valuable(people: People, site: Site) -> None:
    room, _ = await people.room()
    ana = await people.viewer("Ana", room)
    ben, cleo = await site.login("Ben"), await site.login("Cleo")
    await record_stage(ana.page)
    await site.give(ben, room, "galaxy")
    await expect(ana.part("stage-animation")).to_have_attribute("data-gift", "galaxy")
    assert await ana.page.evaluate(MOVING) > 0
    # While the first plays, three more arrive in one moment.
    await asyncio.gather(
        site.give(ben, room, "money_gun"),
        site.give(cleo, room, "fireworks"),
        site.give(ana.account, room, "trophy"),
    )

    expected = [["galaxy", "Ben"], ["trophy", "Ana"], ["fireworks", "Cleo"], ["money_gun", "Ben"]]
    await until_equal(lambda: stage_shown(ana.page), expected, "what took the stage")
    await expect(ana.part("stage-animation")).to_have_count(1)
    await expect(ana.part("stage-animation")).to_be_hidden()
    assert await ana.page.evaluate(MOVING) == 0


async def test_small_gifts_stay_in_the_tray(people: People, site: Site) -> None:
    room, _ = await people.room()
    ana = await people.viewer("Ana", room)
    ben = await site.login("Ben")
    await record_stage(ana.page)
    await site.give(ben, room, "toast")
    await ana.shows_lane(ben, "toast", 1)
    await site.give(ben, room, "money_gun")
    await until_equal(lambda: stage_shown(ana.page), [["money_gun", "Ben"]], "what took the stage")


async def test_with_reduced_motion_a_still_card_stands_in(people: People, site: Site) -> None:
    room, _ = await people.room()
    ana = await people.viewer("Ana", room, reduced_motion="reduce")
    ben = await site.login("Ben")
    await site.give(ben, room, "fireworks")
    stage = ana.part("stage-animation")
    await expect(stage).to_have_attribute("data-gift", "fireworks")
    await expect(stage.locator(".stage-art")).to_have_css("opacity", "1")
    await expect(stage.locator(".stage-sender")).to_have_text("Ben")
    await ana.shows_lane(ben, "fireworks", 1)
    await ana.shows_diamonds(1_200)
    await ana.part("like-button").click()
    await ana.open_gifts()

    async def running() -> int:
        return int(
            await ana.page.evaluate("document.getAnimations().filter((each) => each.playState === 'running').length")
        )

    await until_equal(running, 0, "running animations")
    assert await ana.page.locator("[data-part=particles]").is_hidden()
    still = "document.querySelector('[data-part=backdrop]').toDataURL()"
    assert await ana.page.evaluate(still) == await ana.page.evaluate(
        f"new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done({still}))))"
    )
