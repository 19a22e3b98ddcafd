"""One call of the HTTP interface: its handler, and all that its documentation needs."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web
from msgspec import Struct

from server.domain.errors import Code

API_ROOT = "/api/v1"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """handler: its docstring says what the call does. path: under API_ROOT. body, answer: their shapes.

    file, upload: the content type of what is answered, or taken, where that is no JSON. codes: the refusals of this
    call's own. pages: takes `limit` and `cursor`. query: other query parameters, and what they mean. moves_money: takes
    an Idempotency-Key.
    """

    method: str
    path: str
    handler: Handler
    answer: type[Struct] | None = None
    file: str = ""
    status: int = 200
    body: type[Struct] | None = None
    upload: str = ""
    needs_token: bool = True
    pages: bool = False
    query: Mapping[str, str] = field(default_factory=dict)
    moves_money: bool = False
    codes: tuple[Code, ...] = ()
