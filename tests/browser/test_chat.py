"""Chat and likes: both ways, and whatever people write is shown as the text it is."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Locator, expect

from tests.browser.pages import MOVING
from tests.browser.people import People
from tests.browser.site import Site
from tests.browser.waiting import until

MARKUP = "<img src=x onerror=\"window.broken='chat'\"><b>bold</b> &amp; {{7*7}}"
NAME = "<script>window.broken='name'</script>Eve"
OVERRIDE = "\u202egnorw si siht\u202c \u2066hidden\u2069 end"


async def test_viewers_and_the_creator_read_each_other(people: People) -> None:
    room, creator = await people.room()
    ana, ben, studio = await asyncio.gather(
        people.viewer("Ana", room), people.viewer("Ben", room), people.studio(creator)
    )
    await studio.live()
    await ana.say("good evening")
    for line in (_line(ben.part("chat-line"), "good evening"), _line(studio.part("studio-chat-line"), "good evening")):
        await expect(line).to_contain_text("Ana")
    await expect(ana.part("chat-input")).to_have_value("")

    await studio.part("studio-chat-text").fill("welcome, Ana")
    await studio.part("studio-chat-send").click()
    answer = _line(ana.part("chat-line"), "welcome, Ana")
    await expect(answer).to_contain_text("Mira")
    await expect(answer.locator(".chat-badge")).to_be_visible()
    await expect(_line(ana.part("chat-line"), "good evening").locator(".chat-badge")).to_be_hidden()


async def test_markup_and_overrides_in_names_titles_and_chat_are_only_text(people: People, site: Site) -> None:
    creator = await site.login("<i>Mira</i>")
    room = await site.open_room(creator, "<u>title</u>" + OVERRIDE)
    eve = await site.login(NAME)
    ana, studio, overlay = await asyncio.gather(
        people.viewer("Ana", room), people.studio(creator), people.overlay(creator, room)
    )
    await studio.live()
    eves = await people.viewer(NAME, room)
    await eves.say(MARKUP)
    await eves.say(OVERRIDE)
    await site.give(eve, room, "fireworks")

    await overlay.shows_alert(NAME, "fireworks", 1)
    await ana.shows_lane(eve, "fireworks", 1)
    await expect(ana.part("top-1")).to_contain_text(NAME)
    await expect(ana.page.locator("[data-part=title]")).to_contain_text("<u>title</u>")
    for lines in (ana.part("chat-line"), studio.part("studio-chat-line")):
        await expect(_line(lines, MARKUP)).to_contain_text(NAME)
        await expect(lines.last).to_contain_text("gnorw si siht hidden end")
        await expect(lines.last.locator("bdi")).to_have_count(2)
    await expect(studio.part("thank-item")).to_contain_text(NAME)
    await expect(studio.part("studio-room-title")).to_contain_text("<u>title</u>")
    for page in (ana.page, eves.page, studio.page, overlay.page):
        assert await page.evaluate("window.broken") is None
        assert await page.locator("main :is(script, i, u, b:not(.top-bar b), img[src=x])").count() == 0
        assert await page.evaluate("/[\\u202a-\\u202e\\u2066-\\u2069]/.test(document.body.innerText)") is False


async def test_writing_too_fast_is_explained_and_the_line_is_kept(people: People) -> None:
    room, _ = await people.room()
    ana = await people.viewer("Ana", room)
    await ana.page.evaluate(
        """() => {
          const input = document.querySelector("[data-testid=chat-input]");
          for (let line = 0; line < 25; line += 1) {
            input.value = "again and again";
            input.form.requestSubmit();
          }
        }"""
    )
    await expect(ana.part("toast").first).to_contain_text("a little fast")
    await expect(ana.part("chat-input")).to_have_value("again and again")


@pytest.mark.parametrize("by", ["button", "stage"])
async def test_likes_rise_as_hearts_on_other_screens(people: People, by: str) -> None:
    room, _ = await people.room()
    ana, ben = await asyncio.gather(people.viewer("Ana", room), people.viewer("Ben", room, **MOVING))
    if by == "button":
        await ana.part("like-button").click()
    else:
        await ana.page.mouse.click(195, 300)

    async def hearts() -> int:
        moving = "document.getAnimations().filter(({ effect }) => effect.target.matches('.heart')).length"
        return int(await ben.page.evaluate(moving))

    await until(hearts, "a heart")


def _line(lines: Locator, text: str) -> Locator:
    return lines.filter(has_text=text)
