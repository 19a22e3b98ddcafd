"""The pages and what they load: plain files, asked for anew each time and answered with 304 while they are the same."""

from aiohttp import web

from server import STATIC_FOLDER
from server.domain.ids import ROOM_ID
from server.web.problems import Handler

ART_AGE_S = 3600
"""How long pictures are kept without asking."""

_KEPT_SUFFIXES = (".svg", ".png", ".webp", ".woff2")


def _page(name: str) -> Handler:
    async def page(_: web.Request) -> web.StreamResponse:
        return web.FileResponse(STATIC_FOLDER / name, headers={"Cache-Control": "no-cache"})

    return page


async def overlay(request: web.Request) -> web.StreamResponse:
    """The transparent page of one room, for streaming programs."""
    if not ROOM_ID.fullmatch(request.match_info["room"]):
        raise web.HTTPNotFound
    return web.FileResponse(STATIC_FOLDER / "overlay.html", headers={"Cache-Control": "no-cache"})


async def add_cache_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Signal `on_response_prepare`, for what lies under /static."""
    if request.path.startswith("/static/") and response.status in {200, 206, 304}:
        kept = request.path.endswith(_KEPT_SUFFIXES)
        response.headers["Cache-Control"] = f"public, max-age={ART_AGE_S}" if kept else "no-cache"


def add_pages(app: web.Application) -> None:
    """Adds the routes of all pages."""
    app.router.add_get("/", _page("room.html"))
    app.router.add_get("/studio", _page("studio.html"))
    app.router.add_get("/overlay/{room}", overlay)
    app.router.add_get("/favicon.ico", _page("favicon.svg"))
    app.router.add_static("/static/", STATIC_FOLDER)
    app.on_response_prepare.append(add_cache_headers)
