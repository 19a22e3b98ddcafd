"""What every page has to live up to: axe's rules, and room enough for what is on it."""

from __future__ import annotations

from typing import Any, Literal

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from tests.browser.pages import DESKTOP, PHONE

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}

# Wider than the window, or hanging out of it on the right.
_SPILLS = """
() => {
  const width = document.documentElement.clientWidth;
  const spills = document.documentElement.scrollWidth > width ? ["the page scrolls sideways"] : [];
  for (const node of document.querySelectorAll("button, a[href], input, select, h1, h2")) {
    const box = node.getBoundingClientRect();
    const scrolls = ".tier-tabs, .wallet-tabs, .filters, .pins, .followed-list";
    const clipped = node.closest(`.visually-hidden, ${scrolls}, [inert], dialog:not([open])`);
    if (!clipped && node.checkVisibility({ visibilityProperty: true }) && (box.right > width + 1 || box.left < -1)) {
      spills.push(`${node.tagName} ${node.className} ${node.dataset.testid ?? ""} ${box.left}..${box.right}`);
    }
  }
  return spills;
}
"""

_SMALL = """
(least) => [...document.querySelectorAll("button, a[href], input, select, summary")]
  .filter((node) => node.checkVisibility({ visibilityProperty: true }) && !node.closest(".visually-hidden"))
  .map((node) => [node, (node.closest("label") ?? node).getBoundingClientRect()])
  .filter(([, box]) => box.width < least || box.height < least)
  .map(([node, box]) => `${node.tagName} ${node.className} ${node.dataset.testid ?? ""} ${box.width}x${box.height}`)
"""

_REST = """
async () => {
  const running = () => document.getAnimations().filter(({ playState }) => playState === "running");
  for (let moving = running(); moving.length > 0; moving = running()) {
    await Promise.all(moving.map((each) => each.finished.catch(() => null)));
    await new Promise(requestAnimationFrame);
  }
}
"""

TARGET_PX_MIN = 24
"""What WCAG 2.2 asks of everything that can be pressed."""


async def passes(page: Page) -> None:
    """No rule of axe is broken on the page as it is now, in either colour scheme."""
    found = []
    for scheme in SCHEMES:
        await page.emulate_media(color_scheme=scheme)
        await _come_to_rest(page)
        report = await Axe().run(page, options={**RULES, "resultTypes": ["violations"]})
        found += [
            f"{scheme}: {violation['id']}: {node['html'][:160]} {node['any'][:1]}"
            for violation in report.response["violations"]
            for node in violation["nodes"]
        ]
    assert not found, found


async def fits(page: Page, *sizes: dict[str, int]) -> None:
    """On a phone and on a desktop nothing spills sideways, and nothing that can be pressed is too small."""
    for size in sizes or (DESKTOP, PHONE):
        await page.set_viewport_size(size)
        await _come_to_rest(page)
        spills: Any = await page.evaluate(_SPILLS)
        assert spills == [], (size, spills)
        small: Any = await page.evaluate(_SMALL, TARGET_PX_MIN)
        assert small == [], (size, small)


async def _come_to_rest(page: Page) -> None:
    """Until nothing moves: a colour that changes begins to change inside what inherits it only a moment later."""
    await page.evaluate(_REST)
