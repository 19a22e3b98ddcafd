"""What each page is served as: nothing inline, nothing from elsewhere, no error on the way."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from playwright.async_api import expect

from tests.browser.people import People
from tests.browser.site import Site

PAGES = [
    "/", "/?room=r_demo_music", "/studio", "/wallet", "/admin", "/boards", "/checkout/p_none", "/overlay/r_demo_music",
]  # fmt: skip


class _Inline(HTMLParser):
    """Collects everything that a strict policy would have to forbid."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._open = tag
        for name, value in attributes:
            if name.startswith("on") or name == "style" or (value or "").strip().lower().startswith("javascript:"):
                self.found.append(f"<{tag} {name}>")
            if name in ("src", "href") and re.match(r"(?i)(https?:)?//", value or ""):
                self.found.append(f"<{tag} {name}={value}>")

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open in ("script", "style") and data.strip():
            self.found.append(f"<{self._open}> with text")


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_has_nothing_inline_and_a_policy_that_would_forbid_it(site: Site, path: str) -> None:
    async with site.http.get(site.url + path) as answer:
        html = await answer.text()
        policy = answer.headers["Content-Security-Policy"]
    inline = _Inline()
    inline.feed(html)
    assert inline.found == []
    assert "unsafe" not in policy
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == directives["script-src"] == directives["style-src"] == "'self'"
    assert directives["object-src"] == directives["base-uri"] == "'none'"


async def test_the_policy_is_in_force(people: People) -> None:
    people.pages.allow(r"(CSP|Content Security Policy|Content-Security-Policy)")
    page = await people.pages.open("/")
    await page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "window.broken = true";
          document.head.append(script);
        }"""
    )
    assert await page.evaluate("window.broken") is None
    assert any("CSP: script-src" in problem for problem in people.pages.problems)


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_opens_without_an_error(people: People, site: Site, path: str) -> None:
    people.pages.allow("404.*sandbox/payments/p_none")
    page = await people.pages.open(path)
    shown = {
        "/": "rooms",
        "/studio": "studio-sign-in-view",
        "/?room=r_demo_music": "sign-in-sheet",
        "/wallet": "sign-in-sheet",
        "/admin": "admin-sign-in",
        "/boards": "board",
        "/checkout/p_none": "checkout-none",
    }
    if path in shown:
        await expect(page.get_by_test_id(shown[path])).to_be_visible()
    else:
        await expect(page.locator("html")).to_have_attribute("data-connection", "refused")


async def test_a_room_that_is_not_there_is_said_in_words(people: People, site: Site) -> None:
    people.pages.allow("404")
    page = (await people.viewer("Ana", (await people.room())[0])).page
    await page.goto(f"{people.pages.url}/?room=r_nowhere")
    await expect(page.get_by_test_id("room-missing")).to_contain_text("This room does not exist")


async def test_an_expired_sign_in_leads_back_to_the_name(people: People, site: Site) -> None:
    people.pages.allow("401")
    page = await people.pages.open("/?room=r_demo_music#token=eyJhbGciOiJIUzI1NiJ9.e30.AAAA")
    await expect(page.get_by_test_id("sign-in-sheet")).to_be_visible()
    assert "token" not in page.url
