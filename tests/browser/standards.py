"""What every page has to live up to: axe's rules, and room enough for what is on it."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}

# Wider than the window, or hanging out of it on the right.
_SPILLS = """
() => {
  const width = document.documentElement.clientWidth;
  const spills = document.documentElement.scrollWidth > width ? ["the page scrolls sideways"] : [];
  for (const node of document.querySelectorAll("button, a[href], input, select, h1, h2")) {
    const box = node.getBoundingClientRect();
    const clipped = node.closest(".visually-hidden, .tier-tabs, [inert], dialog:not([open])");
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

TARGET_PX_MIN = 24
"""What WCAG 2.2 asks of everything that can be pressed."""


async def passes(page: Page) -> None:
    """No rule of axe is broken on the page as it is now."""
    await page.evaluate("Promise.all(document.getAnimations().map((each) => each.finished.catch(() => null)))")
    report = await Axe().run(page, options={**RULES, "resultTypes": ["violations"]})
    found = [
        f"{violation['id']}: {node['html'][:160]} {node['any'][:1]}"
        for violation in report.response["violations"]
        for node in violation["nodes"]
    ]
    assert not found, found


async def fits(page: Page) -> None:
    """Nothing spills sideways, and nothing that can be pressed is too small."""
    spills: Any = await page.evaluate(_SPILLS)
    assert not spills, spills
    small: Any = await page.evaluate(_SMALL, TARGET_PX_MIN)
    assert not small, small
