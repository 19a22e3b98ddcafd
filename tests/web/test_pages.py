"""Pages and what they load: strict headers, and never an old file."""

from __future__ import annotations

import re

import pytest

from server import STATIC_FOLDER
from tests.web.conftest import StartGateway
from tests.web.gateways import Gateway


@pytest.mark.parametrize(
    "path", ["/", "/studio", "/overlay/r_demo_music", "/static/css/theme.css", "/api/v1/gifts", "/nope"]
)
async def test_every_response_has_the_headers_that_keep_it_safe(gateway: Gateway, path: str):
    async with gateway.http.get(gateway.url + path) as response:
        policy = dict(part.strip().split(" ", 1) for part in response.headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == policy["script-src"] == policy["style-src"] == "'self'"
        assert policy["img-src"] == "'self' data:"
        assert policy["object-src"] == policy["base-uri"] == "'none'"
        assert policy["frame-ancestors"] == "'self'"
        assert policy["connect-src"] == f"'self' ws://127.0.0.1:{gateway.port} wss://127.0.0.1:{gateway.port}"
        assert "unsafe" not in response.headers["Content-Security-Policy"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert "camera=()" in response.headers["Permissions-Policy"]
        assert "Server" not in response.headers


async def test_a_host_that_is_no_host_does_not_get_into_the_policy(gateway: Gateway):
    async with gateway.http.get(gateway.url + "/", headers={"Host": "evil.example; script-src *"}) as response:
        assert "evil" not in response.headers.get("Content-Security-Policy", "")


async def test_pages_load_nothing_but_files_that_are_there_and_have_no_inline_code(gateway: Gateway):
    for path in ("/", "/studio", "/wallet", "/overlay/r_1"):
        async with gateway.http.get(gateway.url + path) as response:
            assert response.status == 200
            assert response.content_type == "text/html"
            html = await response.text()
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=", html)
        for link in re.findall(r"(?:src|href)=\"(/static/[^\"]+)\"", html):
            async with gateway.http.get(gateway.url + link) as response:
                assert response.status == 200, link


async def test_files_are_asked_for_anew_and_not_sent_again_while_they_are_the_same(gateway: Gateway):
    for path in ("/", "/static/css/theme.css"):
        async with gateway.http.get(gateway.url + path) as response:
            assert response.headers["Cache-Control"] == "no-cache"
            etag = response.headers["ETag"]
        async with gateway.http.get(gateway.url + path, headers={"If-None-Match": etag}) as response:
            assert response.status == 304
    art = next(STATIC_FOLDER.glob("gifts/*.svg")).name
    async with gateway.http.get(f"{gateway.url}/static/gifts/{art}") as response:
        assert response.headers["Cache-Control"] == "public, max-age=3600"
        assert response.content_type == "image/svg+xml"


async def test_answers_of_the_api_are_kept_by_no_cache(gateway: Gateway):
    async with gateway.http.get(f"{gateway.url}/api/v1/gifts") as response:
        assert response.headers["Cache-Control"] == "no-store"


async def test_an_overlay_of_what_can_be_no_room_is_not_found(gateway: Gateway):
    async with gateway.http.get(f"{gateway.url}/overlay/%3Cscript%3E") as response:
        assert response.status == 404


async def test_only_allowed_origins_may_read_the_api(start_gateway: StartGateway):
    gateway = await start_gateway(allowed_origins=("https://friend.example",))
    address = f"{gateway.url}/api/v1/gifts"
    for origin, allowed in (("https://friend.example", "https://friend.example"), ("https://evil.example", None)):
        async with gateway.http.get(address, headers={"Origin": origin}) as response:
            assert response.status == 200
            assert response.headers.get("Access-Control-Allow-Origin") == allowed
            assert "Origin" in response.headers["Vary"]
            assert "Access-Control-Allow-Credentials" not in response.headers
        asking = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        async with gateway.http.options(f"{gateway.url}/api/v1/rooms", headers=asking) as response:
            assert response.status == 204
            assert response.headers.get("Access-Control-Allow-Origin") == allowed
            assert "Idempotency-Key" in response.headers["Access-Control-Allow-Headers"]
