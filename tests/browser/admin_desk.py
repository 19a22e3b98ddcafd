"""Admins of a running server, in front of the page /admin."""

from __future__ import annotations

from playwright.async_api import Page, expect

from server.settings import Settings
from server.token_key import with_token_secret
from server.web.tokens import issue_token
from tests.browser.pages import Pages
from tests.browser.site import Account
from tests.serve_process import ServeProcess

TTL_S = 3600


class Office:
    """Makes tokens as the operator of a server does."""

    def __init__(self, serve: ServeProcess) -> None:
        self._settings = with_token_secret(Settings(data_dir=serve.data_dir))

    def admin(self, name: str) -> Account:
        """An admin without a page."""
        return Account(name, name, issue_token(self._settings, name, name, "admin", TTL_S))

    async def desk(self, pages: Pages, admin: str, tab: str) -> Page:
        """The page of an admin who has pasted a token."""
        page = await pages.open(f"/admin#{tab}")
        await page.get_by_test_id("admin-token").fill(self.admin(admin).token)
        await page.get_by_test_id("admin-token").press("Enter")
        await expect(page.get_by_test_id("admin-desk")).to_be_visible()
        return page


async def because(page: Page, reason: str) -> None:
    """Answers the question why."""
    await page.get_by_test_id("reason").fill(reason)
    await page.get_by_test_id("reason").press("Enter")


async def go_to(page: Page, tab: str) -> None:
    """Opens a tab."""
    await page.get_by_test_id(f"wallet-tab-{tab}").click()
