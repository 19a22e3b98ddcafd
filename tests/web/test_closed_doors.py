"""What is for operators and admins alone: closed to everybody else unless it was configured."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from unittest.mock import Mock

import pytest
from multidict import CIMultiDict

from server.metrics_access import may_read_metrics
from server.settings import Settings
from server.web.routes import ROUTES
from tests.web.conftest import StartGateway
from tests.web.gateways import Gateway

SETTINGS = Settings()
SIGNED = {"/rewarded/reports/{provider}", "/sandbox/payments/{purchase}", "/webhooks/{provider}"}
"""Calls of providers, whose bodies carry a signature or whose addresses cannot be guessed."""

GUARDED = replace(SETTINGS, metrics_token="m" * 20)


def request(remote: str | None, **headers: str) -> Mock:
    """A request as aiohttp hands it over. A caller on another machine cannot be had in a test."""
    return Mock(remote=remote, headers=CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()}))


@pytest.mark.parametrize("remote", ["192.0.2.7", "10.0.0.2", "2001:db8::1", "", None, "::ffff:192.0.2.7"])
def test_without_a_token_nobody_elsewhere_reads_the_metrics(remote: str | None):
    assert not may_read_metrics(SETTINGS, request(remote))
    assert may_read_metrics(GUARDED, request(remote, Authorization="Bearer " + "m" * 20))


@pytest.mark.parametrize("remote", ["127.0.0.1", "127.8.8.8", "::1"])
def test_on_the_same_machine_they_are_there_but_not_through_a_proxy(remote: str):
    assert may_read_metrics(SETTINGS, request(remote))
    assert not may_read_metrics(GUARDED, request(remote))
    for header in ("X-Forwarded-For", "Forwarded", "Via", "X-Real-IP", "X-Forwarded-Host"):
        assert not may_read_metrics(SETTINGS, request(remote, **{header: "192.0.2.7"}))


async def test_a_proxied_request_for_the_metrics_is_told_what_to_set(gateway: Gateway):
    async with gateway.http.get(f"{gateway.url}/metrics", headers={"X-Forwarded-For": "192.0.2.7"}) as response:
        assert response.status == 401
        assert "GIFTSTREAM_METRICS_TOKEN" in (await response.json(content_type=None))["detail"]


@pytest.mark.parametrize("path", ["/metrics", "/api/v1/wallet"])
async def test_a_token_of_bytes_that_are_no_text_is_a_wrong_token(start_gateway: StartGateway, path: str):
    gateway = await start_gateway(metrics_token="m" * 20)
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n".encode())
    writer.write(b"Authorization: Bearer \xff\xfe.\xc3\x28\r\n\r\n")
    status = (await reader.read()).split(b"\r\n")[0]
    writer.close()
    assert status == b"HTTP/1.1 401 Unauthorized"


async def test_every_call_that_changes_something_or_is_about_somebody_asks_for_a_token(gateway: Gateway):
    room = await gateway.open_room()
    for route in ROUTES:
        path = route.path.replace("{room}", room).replace("{user}", "vera")
        status, _ = await gateway.call(route.method, path)
        if route.path.startswith(("/demo/", "/admin/")):
            assert status == 404  # outside of demo mode, and where nobody switched them on, there are none
        elif route.path in SIGNED:
            assert 400 <= status < 500, route
        elif route.needs_token:
            assert status == 401, route
        else:
            assert route.method == "GET"


async def test_nothing_administrative_has_an_address(gateway: Gateway):
    for path in ("/admin", "/debug", "/config", "/api/v1/admin", "/api/v1/users", "/.env", "/static/../.env"):
        async with gateway.http.get(gateway.url + path) as response:
            assert response.status == 404
