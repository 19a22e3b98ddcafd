"""Opening pages, each in a browser of its own as far as the site can tell, and watching for what must never happen."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Request

from tests.browser.waiting import TIMEOUT_MS

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}

MOVING = {"reduced_motion": "no-preference"}
"""Options of pages whose motion is looked at. All others stand still, as for viewers who ask for that: at less CPU."""

_WATCH_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
});
"""


@dataclass
class Pages:
    """The pages of one test. problems: console errors, uncaught exceptions and requests to other origins.

    scripts: run in each page before its own.
    """

    browser: Browser
    url: str
    scripts: tuple[str, ...] = ()
    problems: list[str] = field(default_factory=list)
    _allowed: list[re.Pattern[str]] = field(default_factory=list)
    _contexts: list[BrowserContext] = field(default_factory=list)

    async def open(self, path: str, *, size: dict[str, int] = DESKTOP, **options: Any) -> Page:
        """A page in a context of its own; options are those of playwright's contexts."""
        page = await self.blank(size=size, **options)
        await page.goto(self.url + path)
        return page

    async def blank(self, *, size: dict[str, int] = DESKTOP, **options: Any) -> Page:
        """The same, before it goes anywhere."""
        context = await self.browser.new_context(viewport=size, **{"reduced_motion": "reduce", **options})
        self._contexts.append(context)
        context.set_default_timeout(TIMEOUT_MS)
        context.set_default_navigation_timeout(TIMEOUT_MS)
        for script in (_WATCH_VIOLATIONS, *self.scripts):
            await context.add_init_script(script)
        page = await context.new_page()
        page.on("console", self._on_console)
        page.on("pageerror", self._on_error)
        page.on("request", self._on_request)
        return page

    def allow(self, pattern: str) -> None:
        """Problems that this test brings about on purpose."""
        self._allowed.append(re.compile(pattern))

    async def close(self) -> None:
        for context in self._contexts:
            await context.close()
        self._contexts.clear()

    def unexpected(self) -> list[str]:
        return [problem for problem in self.problems if not any(allowed.search(problem) for allowed in self._allowed)]

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def _on_error(self, error: Error) -> None:
        self.problems.append(f"uncaught: {error}")

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:", "about:", "blob:")):
            self.problems.append(f"request to another origin: {request.url}")
