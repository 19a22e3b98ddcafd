"""Both API documents: served under /api/v1, and written to docs/ by `python -m server.web.documents`."""

from pathlib import Path

import orjson
from aiohttp import web

from server.web.asyncapi import asyncapi
from server.web.openapi import openapi
from server.web.problems import Handler
from server.web.route import API_ROOT

DOCS_FOLDER = Path("docs")


def render() -> dict[str, bytes]:
    """File name → document."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    return {
        "openapi.json": orjson.dumps(openapi(), option=options),
        "asyncapi.json": orjson.dumps(asyncapi(), option=options),
    }


def add_documents(app: web.Application) -> None:
    """Serves the documents."""
    for name, document in render().items():
        app.router.add_get(f"{API_ROOT}/{name}", _serving(document))


def _serving(document: bytes) -> Handler:
    async def serve(_: web.Request) -> web.StreamResponse:
        return web.Response(body=document, content_type="application/json", headers={"Cache-Control": "no-cache"})

    return serve


def main() -> None:
    """Writes the documents anew."""
    for name, document in render().items():
        (DOCS_FOLDER / name).write_bytes(document)


if __name__ == "__main__":
    main()
