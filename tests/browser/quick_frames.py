"""Lets the frames of a page count for more time than they take, or less: what it plays is over sooner, or waits."""

from __future__ import annotations

from playwright.async_api import Page

_COUNTED = """
{
  const real = window.requestAnimationFrame.bind(window);
  let lastMs = performance.now();
  let countedMs = lastMs;
  window.frameSpeed = 1;
  window.requestAnimationFrame = (run) => real((nowMs) => {
    countedMs += (nowMs - lastMs) * window.frameSpeed;
    lastMs = nowMs;
    run(countedMs);
  });
}
"""


async def count_frames(page: Page) -> None:
    """Call it before the page goes anywhere."""
    await page.add_init_script(_COUNTED)


async def set_speed(page: Page, speed: float) -> None:
    """From now on the page's frames count for so many times what they take."""
    await page.evaluate("(speed) => { window.frameSpeed = speed; }", speed)
