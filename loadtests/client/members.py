"""The two kinds of connection: a viewer counts what arrives, a gifter sends besides and times its answers."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator

import orjson

from loadtests.client.frames import REQUEST_ID_CHARS, client_frame, gift_frame_halves
from loadtests.client.plan import Phase, Seat
from loadtests.client.room_view import KEY_BYTES, RoomView
from loadtests.client.socket import LoadSocket
from loadtests.client.tally import Tally

ANSWER_TIMEOUT_S = 30.0

ASKED_AGAIN = frozenset({"unavailable", "busy", "rate_limited"})
"""Refusals that are not for good: the gift is sent again under the same id, and is still timed from its first time."""

REFUSED_PAUSE_S = 0.2
REFUSED_PAUSE_S_MAX = 3.0
"""Before a gift is sent again; the pause doubles each time and is never the same, so that a crowd spreads out."""


def pause_s(attempt: int) -> float:
    """How long to wait before a gift is sent again, the attempt-th time (from 1)."""
    return random.uniform(0.5, 1.0) * min(REFUSED_PAUSE_S_MAX, REFUSED_PAUSE_S * 2.0 ** (attempt - 1))


_DELTA = b'{"type":"delta"'
_ACK = b'{"type":"gift_ack","id":"'


class Round:
    """One phase as the connections of this process see it: its counts, and the gifts that wait for an answer."""

    def __init__(self, phase: Phase) -> None:
        self.phase = phase
        self.tally = Tally()
        self.label = phase.label.encode()
        self.sent_at_us: dict[int, int] = {}
        """Request number → when it was meant to be sent, until its answer comes."""
        self.attempts: Counter[int] = Counter()
        self.numbers: Iterator[int] = iter(range(10**12))

    def pause_s(self, number: int) -> float:
        """How long a gift that was refused for now waits."""
        self.attempts[number] += 1
        return pause_s(self.attempts[number])


class Viewer(LoadSocket):
    """A member of a room. frames, frame_bytes, pieces: what arrived since the phase began."""

    def __init__(self, seat: Seat, view: RoomView, host: str, path: str) -> None:
        super().__init__(host, path)
        self.seat = seat
        self.frames = self.frame_bytes = self.pieces = 0
        self.round: Round | None = None
        self._view = view
        self._answer: asyncio.Future[dict[str, object]] | None = None

    async def enter(self) -> None:
        """Say hello and join the room. Raises ConnectionError when the server does not want us."""
        await asyncio.wait_for(self.opened, ANSWER_TIMEOUT_S)
        await self._ask({"type": "hello", "token": self.seat.token}, "welcome")
        await self._ask({"type": "join", "room": self.seat.room}, "joined")

    def begin(self, this_round: Round) -> None:
        """Start counting from nothing."""
        self.round = this_round
        self.frames = self.frame_bytes = self.pieces = 0

    def on_text(self, data: bytes, start: int, end: int) -> None:
        if data.startswith(_DELTA, start):
            self._on_delta(data, start, end)
        else:
            self._on_answer(orjson.loads(data[start:end]))

    def _on_delta(self, data: bytes, start: int, end: int) -> None:
        key = data[start : start + KEY_BYTES] if end - start > KEY_BYTES else data[start:end]
        seen = self._view.known.get(key)
        if seen is None:
            seen = self._view.read(key, data[start:end])
        self.frames += 1
        self.frame_bytes += end - start
        self.pieces += seen.pieces
        if seen.probes and self.round is not None:
            phase, delivery = self.round.phase, self.round.tally.delivery
            now_s = time.monotonic()
            for number in seen.probes:
                delivery.record(int((now_s - phase.probe_at_s(number)) * 1e6))

    def _on_answer(self, frame: dict[str, object]) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(frame)

    async def _ask(self, frame: dict[str, object], wanted: str) -> dict[str, object]:
        self._answer = asyncio.get_running_loop().create_future()
        self.send(client_frame(orjson.dumps(frame)))
        answer = await asyncio.wait_for(self._answer, ANSWER_TIMEOUT_S)
        self._answer = None
        if answer["type"] != wanted:
            raise ConnectionError(f"instead of {wanted}: {answer}")
        return answer

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError(f"closed with {self.closed}"))
        if self.round is not None:
            self.round.tally.lost_connections += 1


class Gifter(Viewer):
    """A member that sends. In a closed loop every answer is followed by the next gift at once."""

    def begin(self, this_round: Round) -> None:
        super().begin(this_round)
        phase = this_round.phase
        self._head, self._tail = gift_frame_halves(phase.label, self.seat.room, phase.gift)
        self._refill = 0

    def send_gift(self, meant_us: int) -> None:
        """Send one gift that was meant to be sent at that time of the monotonic clock."""
        assert self.round is not None
        number = next(self.round.numbers)
        self.round.sent_at_us[number] = meant_us
        self.send(b"%b%012d%b" % (self._head, number, self._tail))

    def send_gifts(self, count: int) -> None:
        """Send several gifts now, in one write."""
        assert self.round is not None
        numbers, sent_at_us, now_us = self.round.numbers, self.round.sent_at_us, int(time.monotonic() * 1e6)
        frames = []
        for _ in range(count):
            number = next(numbers)
            sent_at_us[number] = now_us
            frames.append(b"%b%012d%b" % (self._head, number, self._tail))
        self.send(b"".join(frames))

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.round is not None and self._refill and time.monotonic() < self.round.phase.ends_at_s:
            refill, self._refill = self._refill, 0
            self.send_gifts(refill)

    def on_text(self, data: bytes, start: int, end: int) -> None:
        if data.startswith(_ACK, start):
            at = start + len(_ACK)
            self._answered(data[at : at + REQUEST_ID_CHARS], None)
        else:
            super().on_text(data, start, end)

    def _on_answer(self, frame: dict[str, object]) -> None:
        if frame["type"] in {"gift_ack", "gift_nack"}:
            code = frame["code"] if frame["type"] == "gift_nack" else None
            self._answered(str(frame["id"]).encode(), code if code is None else str(code))
        else:
            super()._on_answer(frame)

    def _answered(self, request_id: bytes, code: str | None) -> None:
        if self.round is None:
            return
        tally, number = self.round.tally, int(request_id[4:])
        meant_us = self.round.sent_at_us.get(number) if request_id[:4] == self.round.label else None
        if meant_us is None:
            tally.strangers += 1
            return
        if code in ASKED_AGAIN:
            tally.asked_again[str(code)] += 1
            asyncio.get_running_loop().call_later(self.round.pause_s(number), self._ask_again, self.round, number)
            return
        del self.round.sent_at_us[number]
        if code is None:
            tally.acked += 1
            tally.pieces_acked[self.seat.room] += 1
            tally.ack.record(int(time.monotonic() * 1e6) - meant_us)
        else:
            tally.nacks[code] += 1
        if self.round.phase.window:
            self._refill += 1

    def _ask_again(self, this_round: Round, number: int) -> None:
        if this_round is self.round:
            self.send(b"%b%012d%b" % (self._head, number, self._tail))


class Probe(Viewer):
    """A gifter whose gifts carry their number as `count`, so that whoever sees one knows when it was meant to go."""

    def send_probe(self, number: int) -> None:
        assert self.round is not None
        self.round.tally.sent += 1
        self._send(number)

    def _send(self, number: int) -> None:
        if self.round is not None:
            phase = self.round.phase
            head, tail = gift_frame_halves(phase.label, self.seat.room, phase.probe_gift, number)
            self.send(b"%b%012d%b" % (head, number, tail))

    def _on_answer(self, frame: dict[str, object]) -> None:
        if self.round is None or frame["type"] not in {"gift_ack", "gift_nack"}:
            super()._on_answer(frame)
            return
        tally = self.round.tally
        request_id = str(frame["id"])
        if request_id[:4] != self.round.phase.label:
            tally.strangers += 1
        elif frame["type"] == "gift_ack":
            number = int(request_id[4:])
            tally.acked += 1
            tally.pieces_acked[self.seat.room] += number
            tally.probe_ack.record(int((time.monotonic() - self.round.phase.probe_at_s(number)) * 1e6))
        elif frame["code"] in ASKED_AGAIN:
            tally.asked_again[str(frame["code"])] += 1
            asyncio.get_running_loop().call_later(
                self.round.pause_s(-int(request_id[4:])), self._send, int(request_id[4:])
            )
        else:
            tally.nacks[str(frame["code"])] += 1


KINDS: dict[str, type[Viewer]] = {"viewer": Viewer, "gifter": Gifter, "probe": Probe}
