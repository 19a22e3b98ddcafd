"""The overlay, as a stream shows it."""

from __future__ import annotations

import re

from playwright.async_api import Locator, Page, expect


class OverlayScreen:
    """One overlay."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def part(self, name: str) -> Locator:
        return self.page.get_by_test_id(f"overlay-{name}")

    async def live(self) -> None:
        await expect(self.page.locator("html")).to_have_attribute("data-connection", "live")

    async def shows_diamonds(self, diamonds: int) -> None:
        await expect(self.part("diamonds")).to_have_attribute("data-value", str(diamonds))

    async def shows_alert(self, sender: str, gift: str, times: int) -> None:
        alert = self.part("alert").and_(self.page.locator(f'[data-gift="{gift}"]')).filter(has_text=sender)
        text = re.compile(f"^×{times}$" if times > 1 else "^$")
        await expect(alert.filter(has=self.page.locator(".alert-times", has_text=text))).to_have_count(1)
