"""Holds a room page still in the middle of a big gift, as a fast machine shows it, for as long as a picture takes."""

from __future__ import annotations

from playwright.async_api import Page

PART = 0.42
"""Of the big gift's time, when its page is held."""

_STEADY = """
{
  const real = window.requestAnimationFrame.bind(window);
  let nowMs = performance.now();
  let held = false;
  const step = () => {
    nowMs += 1000 / 60;
    real(step);
  };
  real(step);
  performance.now = () => nowMs;
  window.requestAnimationFrame = (run) => real(() => held || run(nowMs));
  window.holdFrames = () => { held = true; };
}
"""

_HOLD = """
([gift, part]) => new Promise((done) => {
  const stage = document.querySelector("[data-testid=stage-animation]");
  let startMs = null;
  const look = (nowMs) => {
    if (startMs === null && stage.dataset.gift === gift) startMs = nowMs;
    const moving = document.getAnimations();
    const art = moving.find(({ effect }) => effect.target.matches(".stage-art"));
    const wholeMs = art?.effect.getComputedTiming().duration;
    if (startMs === null || nowMs - startMs < part * wholeMs) return requestAnimationFrame(look);
    for (const animation of moving) {
      animation.pause();
      if (stage.contains(animation.effect.target)) animation.currentTime = part * wholeMs;
      if (animation.effect.target.closest(".lane")) animation.cancel();
    }
    window.holdFrames();
    return done();
  };
  requestAnimationFrame(look);
})
"""


async def count_frames_as_sixty_a_second(page: Page) -> None:
    """Call it before the page goes anywhere."""
    await page.add_init_script(_STEADY)


async def hold_gift(page: Page, gift: str) -> None:
    """Return when this big gift stands still on the stage."""
    await page.evaluate(_HOLD, [gift, PART])
