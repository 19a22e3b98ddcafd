"""The OpenAPI document of the HTTP interface, made from the table of routes, the shapes and the codes."""

import inspect
import re
from typing import Any

import msgspec

from server import __version__
from server.domain.errors import RULES, Code
from server.domain.ids import USER_ID
from server.web.http import LIMIT_DEFAULT, LIMIT_MAX, LIMIT_READ_MAX
from server.web.problems import CONTENT_TYPE
from server.web.route import API_ROOT, Route
from server.web.routes import ROUTES
from server.web.shapes import Problem

_REF = "#/components/schemas/{name}"
_PATH_SCHEMAS = {"user": {"type": "string", "pattern": f"^{USER_ID.pattern}$"}}
_LIMIT_SCHEMA = {"type": "integer", "minimum": 1, "maximum": LIMIT_READ_MAX}
_BODY_STATUSES = {413: "The body is too large.", 415: "The body is not application/json."}


def openapi() -> dict[str, Any]:
    """The document, as OpenAPI 3.1 wants it."""
    shapes = {Problem, *(shape for route in ROUTES for shape in (route.answer, route.body) if shape is not None)}
    _, schemas = msgspec.json.schema_components(shapes, ref_template=_REF)
    schemas["Problem"]["properties"]["code"] = {"$ref": _REF.format(name="Code")}
    schemas["Code"] = {
        "enum": [code.value for code in Code],
        "description": "\n".join(f"- `{code}`: {rule.message}" for code, rule in RULES.items()),
    }
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(API_ROOT + route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "giftstream",
            "version": __version__,
            "description": "Money is whole numbers. Times are RFC 3339; `at` counts microseconds since the Unix epoch.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": route.handler.__name__,
        "summary": (inspect.getdoc(route.handler) or "").partition("\n")[0],
        "parameters": _parameters(route),
        "responses": {str(route.status): _answer(route), **_problems(route)},
    }
    if route.body is not None:
        made["requestBody"] = {"required": True, **_content("", route.body.__name__)}
        del made["requestBody"]["description"]
    if route.upload:
        made["requestBody"] = {"required": True, "content": {route.upload: {"schema": {"type": "string"}}}}
    if route.needs_token:
        made["security"] = [{"token": []}]
    return made


def _answer(route: Route) -> dict[str, Any]:
    if route.answer is None:
        return {"description": "The file.", "content": {route.file: {"schema": {"type": "string"}}}}
    return _content("Done.", route.answer.__name__)


def _parameters(route: Route) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": _PATH_SCHEMAS.get(name, {"type": "string"})}
        for name in re.findall(r"\{(\w+)\}", route.path)
    ]
    query = dict(route.query)
    if route.pages:
        query |= {
            "limit": f"entries of a page, {LIMIT_DEFAULT} unless given, at most {LIMIT_MAX}",
            "cursor": "the `next` of the page before",
        }
    for name, meaning in query.items():
        kind: dict[str, Any] = _LIMIT_SCHEMA if name == "limit" else {"type": "string"}
        made.append({"name": name, "in": "query", "description": meaning, "schema": kind})
    if route.moves_money:
        made.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "description": "same key and same body: the same answer again, and nothing is charged twice",
                "schema": {"type": "string", "pattern": "^[!-~]{1,64}$"},
            }
        )
    return made


def _problems(route: Route) -> dict[str, Any]:
    """The refusals of a call, by status."""
    codes = {*route.codes, Code.UNAVAILABLE}
    if route.path.startswith("/admin/"):
        codes.add(Code.NOT_FOUND)  # where they are not switched on
    if route.needs_token:
        codes |= {Code.UNAUTHORIZED, Code.FORBIDDEN}
    if route.body is not None or route.upload or route.pages or route.query or route.moves_money:
        codes.add(Code.BAD_REQUEST)
    if route.moves_money:
        codes.add(Code.IDEMPOTENCY_CONFLICT)
    by_status: dict[int, list[Code]] = {}
    for code in sorted(codes):
        by_status.setdefault(RULES[code].status, []).append(code)
    made = {status: ", ".join(f"`{code}`" for code in found) for status, found in sorted(by_status.items())}
    if route.body is not None or route.upload:
        made |= _BODY_STATUSES
    return {str(status): _content(said, "Problem", CONTENT_TYPE) for status, said in sorted(made.items())}


def _content(description: str, shape: str, content_type: str = "application/json") -> dict[str, Any]:
    return {"description": description, "content": {content_type: {"schema": {"$ref": _REF.format(name=shape)}}}}
