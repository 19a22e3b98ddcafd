"""A user's connection under gevent: websocket-client opens it and writes to it, the frames are found by a walker.

Reading frame by frame would cost more than the server spends on sending them; so what has arrived is read at once.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import gevent
import websocket
from websocket import ABNF

from loadtests.swarm.walker import FrameWalker

CONNECT_TIMEOUT_S = 20.0
READ_BYTES = 262_144

LOST = (websocket.WebSocketException, OSError, EOFError)
"""What a connection raises that is gone."""


class RefusedError(Exception):
    """The server answered, and not with what was hoped for; the frame is the only argument."""


class RoomSocket:
    """One member of one room. Raises one of LOST when the connection is gone."""

    def __init__(self, url: str, token: str, room: str) -> None:
        self.walker = FrameWalker()
        self.closed = True
        self._url = url
        self._token = token
        self._room = room

    def enter(self, since: str | None = None) -> dict[str, Any]:
        """Connect, say hello, join; answers the `joined` frame. Raises RefusedError."""
        self.walker.forget()
        self._socket = websocket.create_connection(self._url, timeout=CONNECT_TIMEOUT_S, enable_multithread=False)
        self.closed = False
        self.send({"type": "hello", "token": self._token})
        self.wait_for("welcome", timeout_s=CONNECT_TIMEOUT_S)
        join = {"type": "join", "room": self._room}
        self.send(join if since is None else {**join, "since": since})
        return self.wait_for("joined", timeout_s=CONNECT_TIMEOUT_S)

    def send(self, frame: dict[str, Any]) -> None:
        self._socket.send(json.dumps(frame, separators=(",", ":")))

    def wait_for(self, *kinds: str, timeout_s: float, request_id: str | None = None) -> dict[str, Any]:
        """The next frame of one of these kinds, with this id. Raises TimeoutError, RefusedError."""
        deadline_s = time.monotonic() + timeout_s
        while (left_s := deadline_s - time.monotonic()) > 0:
            for frame in self.read(left_s):
                if frame["type"] in kinds and (request_id is None or frame.get("id") == request_id):
                    return frame
                if frame["type"] == "error":
                    raise RefusedError(frame)
        raise TimeoutError(f"no {' or '.join(kinds)} within {timeout_s:.0f} s")

    def read(self, timeout_s: float, *, deltas: bool = False) -> list[dict[str, Any]]:
        """All whole frames of one read, waiting for something to arrive; empty when nothing did in time."""
        sock = self._socket.sock
        if sock is None:
            raise EOFError("closed")
        sock.settimeout(max(timeout_s, 0.001))
        try:
            data = sock.recv(READ_BYTES)
        except TimeoutError:
            return []
        finally:
            sock.settimeout(CONNECT_TIMEOUT_S)
        if not data:
            raise EOFError("the server closed the connection")
        return list(self._frames(data, deltas=deltas))

    def drain(self) -> list[dict[str, Any]]:
        """Whatever has arrived, without waiting: one call to the system where it fits into one read."""
        sock = self._socket.sock
        if sock is None:
            raise EOFError("closed")
        arrived: list[bytes] = []
        sock.settimeout(0.0)
        try:
            while not arrived or len(arrived[-1]) == READ_BYTES:
                arrived.append(sock.recv(READ_BYTES))
        except BlockingIOError:
            pass
        finally:
            sock.settimeout(CONNECT_TIMEOUT_S)
        if arrived and not arrived[-1]:
            raise EOFError("the server closed the connection")
        return list(self._frames(b"".join(arrived), deltas=False))

    def rest(self, seconds: float) -> None:
        """Do nothing for a while, as most people do; then take what has arrived."""
        gevent.sleep(seconds)
        self.drain()

    def drop(self) -> None:
        """Break the connection as a lost network does."""
        if not self.closed:
            self.closed = True
            self._socket.shutdown()

    def _frames(self, data: bytes, *, deltas: bool) -> Iterator[dict[str, Any]]:
        for opcode, payload in self.walker.walk(data, deltas=deltas):
            if opcode == ABNF.OPCODE_TEXT:
                yield json.loads(payload)
            elif opcode == ABNF.OPCODE_PING:
                self._socket.pong(payload)
            elif opcode == ABNF.OPCODE_CLOSE:
                raise EOFError(f"closed with {int.from_bytes(payload[:2])}")
