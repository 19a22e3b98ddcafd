"""Whatever goes wrong over HTTP is one problem document, and tells nothing that is not the caller's business."""

from __future__ import annotations

from typing import Any

import pytest

from server.domain.errors import RULES, Code
from tests.web.conftest import StartGateway
from tests.web.gateways import Gateway


async def ask(gateway: Gateway, method: str, path: str, **options: Any) -> tuple[int, dict[str, Any], Any]:
    async with gateway.http.request(method, gateway.url + path, **options) as response:
        assert response.content_type == "application/problem+json"
        problem = await response.json(content_type=None)
        assert set(problem) <= {"type", "title", "status", "detail", "code", "retry_ms"}
        assert problem["status"] == response.status
        assert problem["type"] == f"urn:giftstream:problem:{problem['code']}"
        assert problem["title"] == RULES[Code(problem["code"])].message
        return response.status, problem, response.headers


async def test_unknown_addresses_and_methods_are_problems_too(gateway: Gateway):
    for path in (
        "/api/v1/nope",
        "/api/v1",
        "/api/v1/rooms/x/y/z",
        "/nope",
        "/static/nope.js",
        "/static/../pyproject.toml",
    ):
        status, problem, _ = await ask(gateway, "GET", path)
        assert (status, problem["code"]) == (404, "not_found")
    status, problem, headers = await ask(gateway, "DELETE", "/api/v1/rooms")
    assert (status, problem["code"]) == (405, "bad_request")
    assert set(headers["Allow"].split(",")) == {"GET", "POST"}
    status, problem, _ = await ask(gateway, "GET", "/ws")
    assert (status, problem["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b'{"title":"a","title":"b"}', "application/json", 400),
        (b'{"title":"\xff"}', "application/json", 400),
        (b'{"title":NaN}', "application/json", 400),
        (b'{"title":"a","x":' + b"[" * 5000 + b"]" * 5000 + b"}", "application/json", 400),
        (b'{"title":"' + b"x" * 20_000 + b'"}', "application/json", 413),
        (b'{"title":"a"}', "text/plain", 415),
        (b"title=a", "application/x-www-form-urlencoded", 415),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused(gateway: Gateway, body: bytes, content_type: str, status: int):
    headers = {"Authorization": f"Bearer {gateway.token('cara', 'creator')}", "Content-Type": content_type}
    got, problem, _ = await ask(gateway, "POST", "/api/v1/rooms", data=body, headers=headers)
    assert (got, problem["code"]) == (status, "bad_request")
    assert (await gateway.get("/rooms"))[1]["rooms"] == []


async def test_a_missing_token_asks_for_one_and_a_wrong_one_is_not_explained(gateway: Gateway):
    _, missing, headers = await ask(gateway, "GET", "/api/v1/wallet")
    assert headers["WWW-Authenticate"] == "Bearer"
    _, wrong, _ = await ask(
        gateway, "GET", "/api/v1/wallet", headers={"Authorization": "Bearer eyJhbGciOiJub25lIn0.e30."}
    )
    assert missing == wrong


async def test_what_fails_unexpectedly_is_logged_under_an_id_and_not_shown(
    start_gateway: StartGateway, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    async def fail(*_: object) -> None:
        raise ValueError("a secret of the house")

    monkeypatch.setattr("server.rooms.rooms.Rooms.now", fail)
    gateway = await start_gateway()
    status, problem, _ = await ask(gateway, "GET", "/api/v1/rooms/r_1")
    assert status == 500
    assert "secret" not in str(problem)
    incident = problem["detail"].split()[-1].rstrip(".")
    logged = capsys.readouterr().out
    assert incident in logged
    assert "a secret of the house" in logged
