"""`python -m tests.browser.screenshots`: takes the pictures of docs/ anew, of a running server with gifts flowing."""

from __future__ import annotations

import asyncio
import base64
import shutil
import sys
import tempfile
from pathlib import Path

import aiohttp
from playwright.async_api import Browser, Page, async_playwright

from tests.browser.chromium import installed_chromium, launch
from tests.browser.held_moment import count_frames_as_sixty_a_second, hold_gift
from tests.browser.pages import DESKTOP, MOVING, PHONE, Pages
from tests.browser.people import People
from tests.browser.room_screen import RoomScreen
from tests.browser.scene import Scene
from tests.browser.site import Site
from tests.serve_process import ServeProcess

DOCS = Path(__file__).parents[2] / "docs"
BIG_GIFT = "interstellar"
SETTLE_S = 6.0
SCALE = 1.5
STUDIO = {"width": 1280, "height": 980}
FRAME = {"width": 1900, "height": 1000}

_FRAME = """
<style>
  body {{ margin: 0; display: inline-flex; gap: 40px; align-items: center; padding: 48px;
          background: linear-gradient(120deg, #2a1440, #120b1c 55%, #331230); }}
  img {{ display: block; }}
  .desktop {{ height: 760px; border-radius: 16px; box-shadow: 0 24px 80px rgb(0 0 0 / 0.55); }}
  .phone {{ height: 760px; border: 10px solid #050308; border-radius: 46px; box-shadow: 0 24px 80px rgb(0 0 0 / 0.6); }}
</style>
<img class="desktop" src="data:image/png;base64,{desktop}"><img class="phone" src="data:image/png;base64,{phone}">
"""


async def take(browser: Browser, url: str) -> None:
    """Play the scene and take both pictures."""
    async with aiohttp.ClientSession() as http:
        site, pages = Site(url, http), Pages(browser, url)
        people = People(pages, site)
        creator = await site.login("Mira")
        room = await site.open_room(creator, "Late-night piano requests")
        scene = Scene(site, room)
        await scene.fill()
        studio = await people.studio(creator, size=STUDIO, device_scale_factor=SCALE, color_scheme="light", **MOVING)
        await studio.live()
        await scene.warm_up()
        phone, desktop = [await _viewer(people, name, room, size) for name, size in (("Ana", PHONE), ("Ben", DESKTOP))]
        await scene.talk()
        await _room_picture(scene, phone, desktop, await pages.blank(size=FRAME))
        await asyncio.sleep(SETTLE_S)
        await studio.page.screenshot(path=DOCS / "studio.png")
        await scene.empty()
        await pages.close()


async def _viewer(people: People, name: str, room: str, size: dict[str, int]) -> Page:
    page = await people.pages.blank(size=size, device_scale_factor=SCALE, color_scheme="dark", **MOVING)
    await count_frames_as_sixty_a_second(page)
    await people.enter(RoomScreen(page, room), await people.site.login(name))
    return page


async def _room_picture(scene: Scene, phone: Page, desktop: Page, frame: Page) -> None:
    """Both screens in the middle of a big gift, with a busy tray, side by side."""
    holding = [asyncio.create_task(hold_gift(page, BIG_GIFT)) for page in (phone, desktop)]
    await scene.crescendo()
    await scene.give("Thandi", BIG_GIFT)
    await asyncio.gather(*holding)
    small, large = [base64.b64encode(await page.screenshot()).decode() for page in (phone, desktop)]
    await frame.set_content(_FRAME.format(phone=small, desktop=large))
    await frame.locator("body").screenshot(path=DOCS / "room.png")


async def main() -> int:
    """Start a server of its own, take the pictures, stop it. Returns the exit code."""
    path = installed_chromium()
    if path is None:
        print("No Chromium is installed: nothing to take pictures with.", file=sys.stderr)
        return 1
    folder = Path(tempfile.mkdtemp(prefix="gs-pictures-"))
    folder.chmod(0o711)
    process = ServeProcess(folder / "data", "--demo", GIFTSTREAM_DEMO_BOTS="0")
    try:
        async with async_playwright() as playwright:
            browser = await launch(playwright, path)
            await take(browser, await asyncio.to_thread(lambda: process.url))
            await browser.close()
    finally:
        process.close()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{DOCS / 'room.png'} and {DOCS / 'studio.png'}")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
