"""Runs the page's pure modules where they belong: in a browser, without a page around them."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Page


class Modules:
    """Calls JavaScript that uses modules of /static/js."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def run(self, path: str, body: str, argument: Any = None) -> Any:
        """Run the body of a function of ``m``, the module's exports, and ``given``; return what it returns."""
        source = f"async ([path, given]) => {{ const m = await import(path); {body} }}"
        return await self._page.evaluate(source, [f"/static/js/{path}", argument])
