"""One Chromium and one `serve --demo` for the whole suite; every test has rooms, people and pages of its own."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.browser.admin_desk import Office
from tests.browser.chromium import NAMES, installed_chromium, launch
from tests.browser.modules import Modules
from tests.browser.pages import Pages
from tests.browser.people import People
from tests.browser.site import Site
from tests.browser.waiting import TIMEOUT_MS
from tests.serve_process import ServeProcess

_FOLDER = Path(__file__).parent

expect.set_options(timeout=TIMEOUT_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All these tests share one event loop, since they share one browser."""
    for item in items:
        if item.path.is_relative_to(_FOLDER):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium."""
    path = installed_chromium()
    if path is None:
        pytest.skip(f"no Chromium is installed: none of {', '.join(NAMES)} is on the PATH")
    async with async_playwright() as playwright:
        browser = await launch(playwright, path)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def live_serve(browser: Browser, stores_folder: Path) -> Iterator[ServeProcess]:
    """A `serve --demo` without the viewers that the demo plays itself."""
    process = ServeProcess(
        stores_folder / "browser-serve" / "data",
        "--demo",
        GIFTSTREAM_ADMIN="1",
        GIFTSTREAM_DEMO_BOTS="0",
        GIFTSTREAM_PAYOUT_DAY_S="0.2",
    )
    yield process
    process.close()
    shutil.rmtree(process.data_dir, ignore_errors=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """HTTP without a browser."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
        yield session


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site(live_serve: ServeProcess, http: aiohttp.ClientSession) -> Site:
    """The server that the pages come from."""
    return Site(await asyncio.to_thread(lambda: live_serve.url), http)


@pytest.fixture(scope="session")
def office(live_serve: ServeProcess, site: Site) -> Office:
    """The admins of that server."""
    return Office(live_serve)


@pytest_asyncio.fixture(loop_scope="session")
async def pages(browser: Browser, site: Site) -> AsyncIterator[Pages]:
    """Pages of this test. Whatever a test is about: it fails when one of its pages logs an error or breaks the CSP."""
    pages = Pages(browser, site.url)
    yield pages
    await pages.close()
    assert not pages.unexpected()


@pytest_asyncio.fixture(loop_scope="session")
async def people(pages: Pages, site: Site) -> AsyncIterator[People]:
    """Viewers and creators in front of pages."""
    people = People(pages, site)
    yield people
    await people.go_home()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def modules(browser: Browser, site: Site) -> AsyncIterator[Modules]:
    """A page that is there only for the modules that tests import."""
    pages = Pages(browser, site.url)
    page = await pages.open("/studio")
    yield Modules(page)
    await pages.close()
    assert not pages.unexpected()
