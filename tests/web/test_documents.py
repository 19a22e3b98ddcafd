"""The API documents are true: made from the code, kept fresh, and what the running server does is in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import openapi_spec_validator
import pytest

from server.domain.errors import RULES, Code
from server.rooms.apply import RoomsReader
from server.web.asyncapi import asyncapi
from server.web.close_codes import CloseCode
from server.web.documents import DOCS_FOLDER, render
from server.web.openapi import openapi
from tests.economy.calls import Attempt, People, economy_calls
from tests.web.conftest import StartGateway
from tests.web.gateways import Gateway

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["openapi.json", "asyncapi.json"])
def test_the_files_in_docs_are_fresh(name: str):
    assert (ROOT / DOCS_FOLDER / name).read_bytes() == render()[name], "run: python -m server.web.documents"


def test_the_openapi_document_is_valid():
    openapi_spec_validator.validate(openapi())


def test_the_asyncapi_document_requires_what_a_client_has_to_send():
    schemas = asyncapi()["components"]["schemas"]
    for shape, frame in (("Hello", {"type": "hello"}), ("Gift", {"type": "gift", "id": "a", "room": "r", "gift": "g"})):
        with pytest.raises(jsonschema.ValidationError, match="required property"):
            jsonschema.validate(frame, schemas[shape] | {"components": {"schemas": schemas}})


def test_the_asyncapi_documents_references_all_lead_somewhere():
    document = asyncapi()
    for reference in references(document):
        found: Any = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
    for name, schema in document["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema.get("description") or name == "User"


def references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if "$ref" in part else []
        return own + [found for value in part.values() for found in references(value)]
    return [found for value in part for found in references(value)] if isinstance(part, list) else []


def test_every_code_and_close_code_is_documented():
    assert set(openapi()["components"]["schemas"]["Code"]["enum"]) == set(asyncapi()["x-codes"]) == set(Code)
    assert set(asyncapi()["x-close-codes"]) == {str(int(code)) for code in CloseCode}


async def test_the_documents_are_served(gateway: Gateway):
    for name, document in render().items():
        async with gateway.http.get(f"{gateway.url}/api/v1/{name}") as response:
            assert await response.read() == document


def moderation_calls(room: str, creator: str, viewer: str) -> dict[tuple[str, str], tuple[str, Any, list[Attempt]]]:
    """What a creator may and a viewer may not; bodies where a call has one."""
    calls: dict[tuple[str, str], tuple[str, Any, list[Attempt]]] = {}
    for kind, body in (("moderators", None), ("mutes", {"seconds": 60}), ("bans", None)):
        path = f"/rooms/{room}/{kind}"
        tried: list[Attempt] = [(creator, body, 200), (viewer, body, 403), (None, body, 401)]
        calls["put", f"/rooms/{{room}}/{kind}/{{user}}"] = (f"{path}/walt", None, tried)
        calls["get", f"/rooms/{{room}}/{kind}"] = (path, None, [(creator, None, 200), (viewer, None, 403)])
        calls["delete", f"/rooms/{{room}}/{kind}/{{user}}"] = (f"{path}/walt", None, [(creator, None, 200)])
    calls["put", "/creator/blocks/{user}"] = ("/creator/blocks/walt", None, [(creator, None, 200), (None, None, 401)])
    calls["get", "/creator/blocks"] = ("/creator/blocks", None, [(creator, None, 200), (None, None, 401)])
    calls["delete", "/creator/blocks/{user}"] = ("/creator/blocks/walt", None, [(creator, None, 200)])
    return calls


async def test_every_documented_call_answers_as_documented(start_gateway: StartGateway, worker: RoomsReader):
    gateway = await start_gateway(demo=True, demo_bots=False, admin=True)
    _, login = await gateway.post("/demo/login", {"name": "Vera"})
    viewer, creator = login["token"], gateway.token("cara", "creator")
    room = await gateway.open_room("cara")
    client = await gateway.enter(viewer, room)
    await client.gift(room)
    await client.receive_where(lambda frame: "gifts" in frame, "the gift")
    people = People(viewer=viewer, creator=creator, admin=gateway.token("ada", "admin"), room=room)
    calls: dict[tuple[str, str], tuple[str, Any, list[Attempt]]] = {
        ("post", "/demo/login"): (
            "/demo/login",
            creator,
            [(None, {"name": "W"}, 201), (None, {}, 400), (None, "{", 415)],
        ),
        ("get", "/gifts"): ("/gifts", None, [(None, None, 200)]),
        ("post", "/rooms/{room}/gifts"): (
            f"/rooms/{room}/gifts",
            None,
            [
                (viewer, {"gift": "rose", "count": 1}, 201),
                (viewer, {"gift": "rose", "count": 0}, 400),
                (None, {"gift": "rose", "count": 1}, 401),
                (viewer, {"gift": "universe", "count": 1}, 402),
                (creator, {"gift": "rose", "count": 1}, 403),
                (viewer, {"gift": "none", "count": 1}, 404),
            ],
        ),
        ("post", "/rooms"): (
            "/rooms",
            None,
            [(creator, {"title": "New"}, 201), (creator, {}, 400), (None, {"title": "N"}, 401)],
        ),
        ("get", "/rooms"): ("/rooms", None, [(None, None, 200)]),
        ("get", "/rooms/{room}"): (f"/rooms/{room}", None, [(None, None, 200)]),
        ("get", "/rooms/{room}/top"): (f"/rooms/{room}/top", None, [(None, None, 200)]),
        ("get", "/rooms/{room}/overlay-token"): (
            f"/rooms/{room}/overlay-token",
            None,
            [(creator, None, 200), (viewer, None, 403), (None, None, 401)],
        ),
        **moderation_calls(room, creator, viewer),
        ("get", "/wallet"): ("/wallet", None, [(viewer, None, 200), (None, None, 401)]),
        ("get", "/wallet/gifts"): ("/wallet/gifts", None, [(viewer, None, 200), (None, None, 401)]),
        ("get", "/creator/earnings"): ("/creator/earnings", None, [(creator, None, 200), (None, None, 401)]),
        **economy_calls(people),
        ("post", "/rooms/{room}/end"): (
            f"/rooms/{room}/end",
            None,
            [(viewer, {}, 403), (creator, {}, 200), (creator, {}, 200), (None, {}, 401)],
        ),
    }
    document = openapi()
    documented = {
        (method, path.removeprefix("/api/v1")): operation
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert set(calls) == set(documented)
    for (method, pattern), (path, _, attempts) in calls.items():
        for token, body, wanted in attempts:
            options = {"data": body} if isinstance(body, str) else {"json": body} if body is not None else {}
            status, answer = await gateway.call(method, path, token, **options)
            assert status == wanted, (method, path, answer)
            content = documented[method, pattern]["responses"][str(status)]["content"]
            (content_type,) = content
            if isinstance(answer, bytes):
                assert "json" not in content_type, (method, path)
                continue
            assert content_type == ("application/json" if status < 400 else "application/problem+json")
            schema = {**content[content_type]["schema"], "components": document["components"]}
            jsonschema.Draft202012Validator(schema).validate(answer)
            if status >= 400:
                assert RULES[Code(answer["code"])].status == status or status == 415
    _, page = await gateway.get("/wallet/gifts", viewer)
    assert page["gifts"]
    assert (await gateway.get(f"/rooms/{room}/top"))[1]["top"]
