"""One WebSocket as it is written to: finished frames straight into the transport, bounded, and never waited for."""

import asyncio
import os
from collections import Counter

from server.web.close_codes import REASONS, CloseCode
from server.web.frames import close_frame

CLOSE_WAIT_S = 2.0
"""How long a peer has to take the close frame and to answer it; after that the connection is torn down."""


class Connection:
    """The writing side of a WebSocket. heard_s: loop time of the last sign of life from the peer. unsent: bytes that
    waited in the send buffer after the last write.

    closed: counts the close codes that were sent.
    """

    __slots__ = (
        "_answers",
        "_buffer_max_bytes",
        "_closed",
        "_fd",
        "_loop",
        "closing",
        "heard_s",
        "transport",
        "unsent",
    )

    def __init__(self, transport: asyncio.Transport, *, buffer_max_bytes: int, closed: Counter[int]) -> None:
        self.transport = transport
        self.closing = False
        self.unsent = transport.get_write_buffer_size()
        self._fd = transport.get_extra_info("socket").fileno()
        self._closed = closed
        self._loop = asyncio.get_running_loop()
        self.heard_s = self._loop.time()
        self._buffer_max_bytes = buffer_max_bytes
        self._answers: list[bytes] = []
        # Left alone, aiohttp would stop reading pings while the peer is slow; being too slow is decided in `write`.
        transport.set_write_buffer_limits(high=2 * buffer_max_bytes, low=buffer_max_bytes)

    def answer(self, frame: bytes) -> None:
        """Writes a frame together with whatever else is answered in this turn of the loop."""
        if not self._answers:
            self._loop.call_soon(self._flush)
        self._answers.append(frame)

    def write(self, data: bytes) -> bool:
        """Writes finished frames at once; False when the connection is gone. A peer that leaves too much of it unread
        is cut off.
        """
        transport = self.transport
        if self.closing or transport.is_closing():
            return False
        if not self.unsent:
            # Nothing waits before it: straight to the system, which takes all of it nearly always.
            try:
                taken = os.write(self._fd, data)
            except BlockingIOError:
                taken = 0
            except OSError:
                self.abort()
                return False
            if taken == len(data):
                return True
            data = data[taken:]
        transport.write(data)
        self.unsent = transport.get_write_buffer_size()
        if self.unsent > self._buffer_max_bytes:
            self.cut_off(CloseCode.TOO_SLOW)
        return True

    def cut_off(self, code: int, reason: str | None = None) -> None:
        """Says why as well as it can, and ends the connection whether or not the peer hears it."""
        if self.closing:
            return
        answers, self._answers = self._answers, []
        self.closing = True
        self._closed[int(code)] += 1
        if not self.transport.is_closing():
            self.transport.write(
                b"".join(answers) + close_frame(code, REASONS[CloseCode(code)] if reason is None else reason)
            )
            self._loop.call_later(CLOSE_WAIT_S, self.transport.abort)

    def closed_by_peer(self) -> None:
        """Answers the peer's close frame, or takes it as the answer to ours, and closes."""
        self._flush()
        if self.transport.is_closing():
            return
        if not self.closing:
            self.transport.write(close_frame(CloseCode.NORMAL))
        self.closing = True
        self.transport.close()
        self._loop.call_later(CLOSE_WAIT_S, self.transport.abort)

    def abort(self) -> None:
        """Ends the connection without a word, as a dead one is."""
        self.closing = True
        self.transport.abort()

    def _flush(self) -> None:
        answers, self._answers = self._answers, []
        if answers:
            self.write(b"".join(answers))
