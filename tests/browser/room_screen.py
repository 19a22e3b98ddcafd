"""The room page, as a viewer uses and sees it."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect

from tests.browser.site import Account
from tests.browser.waiting import until, until_equal


class RoomScreen:
    """One viewer's room page. account: who it is."""

    account: Account

    def __init__(self, page: Page, room: str) -> None:
        self.page = page
        self.room = room

    def part(self, testid: str) -> Locator:
        return self.page.get_by_test_id(testid)

    async def live(self) -> None:
        """Wait until the room is joined."""
        await expect(self.page.locator("html")).to_have_attribute("data-connection", "live")

    # -- what it shows ---------------------------------------------------------------------------------------------

    async def shows_diamonds(self, diamonds: int) -> None:
        await expect(self.part("diamonds")).to_have_attribute("data-value", str(diamonds))
        await expect(self.part("diamonds")).to_have_text(f"{diamonds:,}")

    async def shows_viewers(self, viewers: int) -> None:
        await expect(self.part("viewers")).to_have_attribute("data-value", str(viewers))

    async def shows_top(self, *accounts: Account) -> None:
        """The faces at the top, the first gifter first."""
        shown = [await self._face(rank, account) for rank, account in enumerate(accounts, 1)]
        assert len(shown) == len(accounts)
        for rank in range(len(accounts) + 1, 4):
            await expect(self.part(f"top-{rank}")).to_be_hidden()

    async def _face(self, rank: int, account: Account) -> None:
        face = self.part(f"top-{rank}")
        await expect(face).to_have_attribute("data-user", account.id)
        await expect(face).to_contain_text(account.name)

    async def balance(self) -> int:
        return int(await self.part("balance").get_attribute("data-value") or -1)

    async def shows_balance(self, coins: int) -> None:
        await until_equal(self.balance, coins, "the balance")

    def lane(self, sender: Account, gift: str) -> Locator:
        """The tray's lane with this sender's gift."""
        return self.page.locator(f'[data-testid=lane].is-shown[data-from="{sender.id}"][data-gift="{gift}"]')

    async def shows_lane(self, sender: Account, gift: str, combo: int) -> None:
        lane = self.lane(sender, gift).and_(self.page.locator(f'[data-combo="{combo}"]'))
        await expect(lane.filter(has_text=sender.name).filter(has_text=f"×{combo}")).to_have_count(1)

    # -- what a viewer does ----------------------------------------------------------------------------------------

    async def open_gifts(self) -> None:
        await self.part("gift-button").click()
        await expect(self.part("gift-sheet")).to_be_visible()

    async def choose(self, gift: str, tier: str = "small", count: int = 1) -> None:
        await self.part(f"tab-{tier}").click()
        await self.part(f"gift-{gift}").click()
        await self.part(f"qty-{count}").click()

    async def send(self, gift: str, tier: str = "small", count: int = 1) -> None:
        """Send a gift from the open sheet."""
        await self.choose(gift, tier, count)
        await self.part("send-gift").click()

    async def close_sheets(self) -> None:
        """Close what is open, the topmost first."""

        async def closed() -> bool:
            if await self.page.locator("dialog[open]").count() == 0:
                return True
            await self.page.keyboard.press("Escape")
            return False

        await until(closed, "the sheets to close")

    async def say(self, text: str) -> None:
        await self.part("chat-input").fill(text)
        await self.part("chat-send").click()
