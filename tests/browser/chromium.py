"""The Chromium that is installed on this machine."""

from __future__ import annotations

import os
import shutil

from playwright.async_api import Browser, Playwright

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""The first is the same engine without a window around it: a page costs a third of the CPU there."""

LAUNCH_TIMEOUT_MS = 120_000


def installed_chromium() -> str | None:
    """Return the path of the first that is found."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


async def launch(playwright: Playwright, path: str) -> Browser:
    """Start it without a window. Root has to do without its sandbox."""
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    flags += ["--disable-dev-shm-usage", "--js-flags=--expose-gc", "--enable-precise-memory-info"]
    return await playwright.chromium.launch(executable_path=path, args=flags, timeout=LAUNCH_TIMEOUT_MS)
