"""Writes down what a page shows for a moment only, from inside the page."""

from __future__ import annotations

from playwright.async_api import Page

_STAGE = """
() => {
  const stage = document.querySelector("[data-testid=stage-animation]");
  window.stageShown = [];
  const note = () => {
    const sender = stage.querySelector(".stage-sender").textContent;
    if (!stage.hidden && stage.dataset.gift) window.stageShown.push([stage.dataset.gift, sender]);
  };
  note();
  new MutationObserver((records) => {
    if (records.some(({ attributeName }) => attributeName === "data-gift")) note();
  }).observe(stage, { attributes: true });
}
"""

_LANES = """
() => {
  window.lanesShown = [];
  for (const lane of document.querySelectorAll("[data-testid=lane]")) {
    let shown = lane.classList.contains("is-shown");
    new MutationObserver(() => {
      const now = lane.classList.contains("is-shown");
      if (now && !shown) window.lanesShown.push([lane.dataset.from, lane.dataset.gift]);
      shown = now;
    }).observe(lane, { attributes: true, attributeFilter: ["class"] });
  }
}
"""


async def record_stage(page: Page) -> None:
    """Note each big gift that takes the stage from now on."""
    await page.evaluate(_STAGE)


async def stage_shown(page: Page) -> list[list[str]]:
    """[gift, sender's name] of each so far, in order."""
    shown: list[list[str]] = await page.evaluate("window.stageShown")
    return shown


async def record_lanes(page: Page) -> None:
    """Note each lane that an empty place of the tray gets from now on."""
    await page.evaluate(_LANES)


async def lanes_shown(page: Page) -> list[list[str]]:
    """[sender's id, gift] of each so far."""
    shown: list[list[str]] = await page.evaluate("window.lanesShown")
    return shown
