"""Reads pixels of what a page shows."""

from __future__ import annotations

import base64

from playwright.async_api import Page

_ALPHA = """
async (picture) => {
  const image = new Image();
  image.src = `data:image/png;base64,${picture}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.width;
  canvas.height = image.height;
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, 4);
  return [...new Set(data.filter((_, index) => index % 4 === 3))];
}
"""


async def alpha_at_the_top(page: Page, reader: Page) -> set[int]:
    """The alpha values, 0 to 255, along the upper edge; ``reader`` is a page to decode the picture with."""
    picture = base64.b64encode(await page.screenshot(omit_background=True)).decode()
    return set(await reader.evaluate(_ALPHA, picture))
