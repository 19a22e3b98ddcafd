"""The AsyncAPI document of the socket, made from the shapes of its frames, the codes and the close codes."""

import inspect
from typing import Any

import msgspec
from msgspec import Struct

from server import __version__
from server.domain.errors import RULES, Code
from server.web.client_frames import CLIENT_FRAMES
from server.web.close_codes import COMES_BACK, REASONS
from server.web.server_frames import SERVER_FRAMES

_REF = "#/components/schemas/{name}"

_ANSWERS: dict[str, tuple[str, ...]] = {
    "hello": ("welcome",),
    "join": ("joined", "error"),
    "leave": ("left",),
    "gift": ("gift_ack", "gift_nack"),
    "spend": ("gift_ack", "gift_nack"),
    "chat": ("ack", "nack"),
    "ping": ("pong",),
}
"""Frame of a client → the frames that answer it. Likes are not answered."""

_MUST_SEND = {"Hello": "token", "Gift": "count"}
"""Fields that are read leniently, as their absence has an answer of its own; a client has to send them."""


def asyncapi() -> dict[str, Any]:
    """The document, as AsyncAPI 3.0 wants it; `send` and `receive` are the server's."""
    frames = (*CLIENT_FRAMES, *SERVER_FRAMES)
    _, schemas = msgspec.json.schema_components(frames, ref_template=_REF)
    schemas["Code"]["description"] = "\n".join(f"- `{code}`: {rule.message}" for code, rule in RULES.items())
    for shape, name in _MUST_SEND.items():
        schemas[shape]["required"].append(name)
        schemas[shape]["properties"][name].pop("default", None)
    schemas["Hello"]["properties"]["token"] = {"type": "string"}
    names = [frame_type(frame) for frame in frames]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "giftstream socket",
            "version": __version__,
            "description": "JSON text frames, one object each; the first is `hello`. Unknown fields are ignored.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "channels": {
            "socket": {
                "address": "/ws",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
                "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
            }
        },
        "operations": {
            **{frame_type(frame): _operation("receive", frame) for frame in CLIENT_FRAMES},
            **{frame_type(frame): _operation("send", frame) for frame in SERVER_FRAMES},
        },
        "components": {
            "messages": {frame_type(frame): _message(frame) for frame in frames},
            "schemas": dict(sorted(schemas.items())),
        },
        "x-codes": {code.value: {"message": RULES[code].message} for code in Code},
        "x-close-codes": {
            str(int(code)): {"reason": reason, "comes_back": code in COMES_BACK} for code, reason in REASONS.items()
        },
    }


def frame_type(frame: type[Struct]) -> str:
    """The `type` that a frame's shape is told by."""
    tag = frame.__struct_config__.tag
    assert isinstance(tag, str)
    return tag


def _operation(action: str, frame: type[Struct]) -> dict[str, Any]:
    name = frame_type(frame)
    made: dict[str, Any] = {
        "action": action,
        "channel": {"$ref": "#/channels/socket"},
        "messages": [{"$ref": f"#/channels/socket/messages/{name}"}],
    }
    if action == "receive" and name in _ANSWERS:
        answers = [{"$ref": f"#/channels/socket/messages/{answer}"} for answer in _ANSWERS[name]]
        made["reply"] = {"channel": {"$ref": "#/channels/socket"}, "messages": answers}
    return made


def _message(frame: type[Struct]) -> dict[str, Any]:
    return {
        "name": frame_type(frame),
        "summary": (inspect.getdoc(frame) or "").partition("\n")[0],
        "payload": {"$ref": _REF.format(name=frame.__name__)},
    }
