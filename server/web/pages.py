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


def _files() -> Handler:
    """Serves the files that are there now; any other name, however it is written, is not found."""
    names = frozenset(path.relative_to(STATIC_FOLDER).as_posix() for path in STATIC_FOLDER.rglob("*") if path.is_file())

    async def file(request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name not in names:
            raise web.HTTPNotFound
        kept = name.endswith(_KEPT_SUFFIXES)
        headers = {"Cache-Control": f"public, max-age={ART_AGE_S}" if kept else "no-cache"}
        return web.FileResponse(STATIC_FOLDER / name, headers=headers)

    return file


def add_pages(app: web.Application, *, sandbox: bool, admin: bool) -> None:
    """Adds the routes of all pages. sandbox: whether there is a pretend provider, which has a checkout page here.

    admin: whether there are admin calls; without them their page does not exist either.
    """
    app.router.add_get("/", _page("room.html"))
    app.router.add_get("/studio", _page("studio.html"))
    app.router.add_get("/wallet", _page("wallet.html"))
    if admin:
        app.router.add_get("/admin", _page("admin.html"))
    app.router.add_get("/boards", _page("boards.html"))
    app.router.add_get("/overlay/{room}", overlay)
    if sandbox:
        app.router.add_get("/checkout/{purchase}", _page("checkout.html"))
    app.router.add_get("/favicon.ico", _page("favicon.svg"))
    app.router.add_get("/static/{name:.+}", _files())
