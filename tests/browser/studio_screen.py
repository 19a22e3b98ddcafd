"""The studio, as a creator uses and sees it."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect

from tests.browser.site import Account


class StudioScreen:
    """One creator's studio."""

    def __init__(self, page: Page, account: Account) -> None:
        self.page = page
        self.account = account

    def part(self, testid: str) -> Locator:
        return self.page.get_by_test_id(testid)

    async def live(self) -> str:
        """Wait until it watches a room; return the room's id."""
        await expect(self.part("studio-live")).to_be_visible()
        await expect(self.part("studio-connection")).to_have_attribute("data-state", "live")
        room = await self.part("studio-live").get_attribute("data-room")
        assert room
        return room

    async def shows_diamonds(self, diamonds: int) -> None:
        await expect(self.part("studio-diamonds")).to_have_attribute("data-value", str(diamonds))

    async def shows_viewers(self, viewers: int) -> None:
        await expect(self.part("studio-viewers")).to_have_text(f"{viewers:,}")

    async def shows_top(self, *accounts: Account) -> None:
        items = self.part("studio-top-item")
        await expect(items).to_have_count(len(accounts))
        for place, account in enumerate(accounts):
            await expect(items.nth(place)).to_have_attribute("data-user", account.id)
            await expect(items.nth(place)).to_contain_text(account.name)

    async def shows_waiting(self, *accounts: Account) -> None:
        """Who is to be thanked, in this order."""
        items = self.part("thank-item")
        await expect(items).to_have_count(len(accounts))
        for place, account in enumerate(accounts):
            await expect(items.nth(place)).to_have_attribute("data-user", account.id)
        await expect(self.part("thank-count")).to_have_text(str(len(accounts)))
        await expect(self.part("thank-next")).to_contain_text(accounts[0].name if accounts else "Nobody")
