"""Who sits in front of the pages: viewers in a room, a creator in the studio, an overlay in a streaming program."""

from __future__ import annotations

import json
from typing import Any

from playwright.async_api import Page

from tests.browser.overlay_screen import OverlayScreen
from tests.browser.pages import DESKTOP, PHONE, Pages
from tests.browser.room_screen import RoomScreen
from tests.browser.site import Account, Site
from tests.browser.studio_screen import StudioScreen


class People:
    """Lets people in. They come signed in; signing in on the page has tests of its own."""

    def __init__(self, pages: Pages, site: Site) -> None:
        self.pages = pages
        self.site = site
        self._rooms: list[tuple[Account, str]] = []

    async def room(self, title: str = "A room", creator: str = "Mira") -> tuple[str, Account]:
        """A new room and its creator, without a page."""
        account = await self.site.login(creator)
        room = await self.site.open_room(account, title)
        self._rooms.append((account, room))
        return room, account

    async def go_home(self) -> None:
        """End the rooms, so that the next test finds few in the lobby."""
        for creator, room in self._rooms:
            await self.site.end_room(creator, room)

    async def viewer(self, name: str, room: str, **options: Any) -> RoomScreen:
        """A viewer on a phone, live in the room."""
        screen = RoomScreen(await self.pages.blank(**{"size": PHONE, **options}), room)
        return await self.enter(screen, await self.site.login(name))

    async def enter(self, screen: RoomScreen, account: Account) -> RoomScreen:
        screen.account = account
        await _sign_in(screen.page, account)
        await screen.page.goto(f"{self.pages.url}/?room={screen.room}")
        await screen.live()
        return screen

    async def studio(self, creator: Account, **options: Any) -> StudioScreen:
        """A creator's studio, with what is live already."""
        screen = StudioScreen(await self.pages.blank(**{"size": DESKTOP, **options}), creator)
        await _sign_in(screen.page, creator)
        await screen.page.goto(f"{self.pages.url}/studio")
        return screen

    async def wallet(self, account: Account, tab: str, **options: Any) -> Page:
        """Somebody's wallet page, on one of its tabs."""
        page = await self.pages.blank(**{"size": PHONE, **options})
        await _sign_in(page, account)
        await page.goto(f"{self.pages.url}/wallet#{tab}")
        return page

    async def lobby(self, account: Account, path: str = "/", **options: Any) -> Page:
        """A page of the site for somebody who is signed in."""
        page = await self.pages.blank(**{"size": PHONE, **options})
        await _sign_in(page, account)
        await page.goto(self.pages.url + path)
        return page

    async def overlay(self, creator: Account, room: str, query: str = "", **options: Any) -> OverlayScreen:
        """The overlay of a room, live."""
        token = (await self.site.get(f"/rooms/{room}/overlay-token", creator))["token"]
        page = await self.pages.open(f"/overlay/{room}{query}#token={token}", **{"size": DESKTOP, **options})
        screen = OverlayScreen(page)
        await screen.live()
        return screen


async def _sign_in(page: Page, account: Account) -> None:
    """As the page keeps a session itself: in the tab's storage."""
    saved = json.dumps({"token": account.token, "user": {"id": account.id, "name": account.name}})
    key = json.dumps("giftstream.session")
    await page.add_init_script(f"sessionStorage.getItem({key}) ?? sessionStorage.setItem({key}, {json.dumps(saved)});")
