"""Why the server closes a socket: the close codes of the public interface."""

from enum import IntEnum

import orjson


class CloseCode(IntEnum):
    """Codes below 4000 are WebSocket's own, the others this project's."""

    NORMAL = 1000
    GOING_AWAY = 1001
    FRAME_TOO_BIG = 1009
    RESTART = 1012
    BAD_FRAMES = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN_ORIGIN = 4403
    NO_HELLO = 4408
    TOO_MANY_CONNECTIONS = 4409
    TOO_SLOW = 4410
    TOO_MANY_FRAMES = 4429


REASONS: dict[CloseCode, str] = {
    CloseCode.NORMAL: "",
    CloseCode.GOING_AWAY: "going away",
    CloseCode.FRAME_TOO_BIG: "frame too big",
    CloseCode.RESTART: "",
    CloseCode.BAD_FRAMES: "too many bad frames",
    CloseCode.UNAUTHORIZED: "token missing, wrong or expired",
    CloseCode.FORBIDDEN_ORIGIN: "forbidden origin",
    CloseCode.NO_HELLO: "no hello in time",
    CloseCode.TOO_MANY_CONNECTIONS: "too many connections",
    CloseCode.TOO_SLOW: "too slow",
    CloseCode.TOO_MANY_FRAMES: "too many frames",
}


COMES_BACK = frozenset(
    {
        CloseCode.GOING_AWAY,
        CloseCode.RESTART,
        CloseCode.NO_HELLO,
        CloseCode.TOO_MANY_CONNECTIONS,
        CloseCode.TOO_SLOW,
        CloseCode.TOO_MANY_FRAMES,
    }
)
"""After these a client comes back by itself, with full-jitter backoff."""


def restart_reason(retry_ms: int) -> str:
    """The reason that goes with RESTART: clients come back after a random delay up to retry_ms."""
    return orjson.dumps({"retry_ms": retry_ms}).decode()
