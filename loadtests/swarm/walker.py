"""Finds the frames in what a server sends, without looking into those that nobody reads."""

from __future__ import annotations

from collections.abc import Iterator

_TEXT = 1
_DELTA = b'{"type":"delta"'
_HEAD_BYTES = 200
_POSITION = b'"position":"'


class FrameWalker:
    """Deltas are counted and stepped over; everything else is given out. position: of the last whole delta."""

    def __init__(self) -> None:
        self.deltas = 0
        self.delta_bytes = 0
        self._held = b""
        self._last_delta = b""

    @property
    def position(self) -> str | None:
        """Where to resume; None before the first delta."""
        found = self._last_delta.find(_POSITION)
        if found < 0:
            return None
        begin = found + len(_POSITION)
        return self._last_delta[begin : self._last_delta.index(b'"', begin)].decode()

    def walk(self, data: bytes, *, deltas: bool = False) -> Iterator[tuple[int, bytes]]:
        """The frames that became whole: (opcode, payload); deltas only where they are asked for."""
        data = self._held + data
        self._held = b""
        at, size = 0, len(data)
        while size - at >= 2:
            length, start = data[at + 1], at + 2
            if length == 126:
                start = at + 4
                length = int.from_bytes(data[at + 2 : start])
            elif length == 127:
                start = at + 10
                length = int.from_bytes(data[at + 2 : start])
            end = start + length
            if start > size or end > size:
                break
            opcode = data[at] & 15
            is_delta = opcode == _TEXT and data.startswith(_DELTA, start)
            if is_delta:
                self.deltas += 1
                self.delta_bytes += length
                self._last_delta = data[start : min(end, start + _HEAD_BYTES)]
            if deltas or not is_delta:
                yield opcode, data[start:end]
            at = end
        self._held = data[at:]

    def forget(self) -> None:
        """Drop the half frame of a connection that is gone; counts and position stay."""
        self._held = b""
