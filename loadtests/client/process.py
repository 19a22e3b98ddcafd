"""One load process: ``python -m loadtests.client.process``; see `loadtests.line_process`. Its orders:

{"enter": {"target": …, "seats": [[user, token, room, role], …]}}   answered with {"entered": n, "seconds": s}
{"phase": {…}}                                                      answered with its tally, all gifts answered
{"screens": null}                                                   answered with what each room's members have seen
    {"tally": null}                                                     answered with the tally as it is by now
{"close": n}                                                        ends all but the first n connections
"""

from __future__ import annotations

import asyncio
import gc
import math
import resource
import time
from typing import Any

import uvloop

from loadtests.client.members import KINDS, Gifter, Probe, Round, Viewer, pause_s
from loadtests.client.plan import PROBES_MAX, Phase, Seat, Target
from loadtests.client.room_view import RoomView
from loadtests.client.tally import Tally
from loadtests.line_process import follow_orders

TICK_S = 0.001
ENTER_TRIES_MAX = 6


class LoadProcess:
    """The connections of this process and what is done with them."""

    def __init__(self) -> None:
        self._members: list[Viewer] = []
        self._views: dict[str, RoomView] = {}
        self.tally = Tally()

    async def enter(self, target: Target, seats: list[Seat]) -> dict[str, Any]:
        """Open the connections, in their order, a few at a time."""
        began_s = time.monotonic()
        waiting = iter(seats)
        loop = asyncio.get_running_loop()

        async def connect() -> None:
            for seat in waiting:
                view = self._views.setdefault(seat.room, RoomView(seat.room))

                def make(seat: Seat = seat, view: RoomView = view) -> Viewer:
                    return KINDS[seat.role](seat, view, f"{target.host}:{target.port}", target.path)

                for attempt in range(1, ENTER_TRIES_MAX + 1):
                    _, member = await loop.create_connection(make, target.host, target.port)
                    try:
                        await member.enter()
                        break
                    except ConnectionError:
                        # Too many at once, for now: a client comes back after a while.
                        member.close()
                        if attempt == ENTER_TRIES_MAX:
                            raise
                        await asyncio.sleep(pause_s(attempt))
                self._members.append(member)

        async with asyncio.TaskGroup() as group:
            for _ in range(target.connecting_max):
                group.create_task(connect())
        gc.collect()
        gc.freeze()
        return {"entered": len(self._members), "seconds": time.monotonic() - began_s}

    def close(self) -> None:
        """End all connections."""
        for member in self._members:
            member.round = None
            member.close()

    async def phase(self, phase: Phase) -> Tally:
        """Make the load of one phase and count what comes of it, and goes on to come until the next one."""
        this_round = Round(phase)
        self.tally = tally = this_round.tally
        for view in self._views.values():
            view.probe_gift = phase.probe_gift if phase.probe_rate else ""
            view.known.clear()
        for member in self._members:
            member.begin(this_round)
        await asyncio.sleep(max(0.0, phase.starts_at_s - time.monotonic()))
        cpu_s = _cpu_s()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send(this_round))
            group.create_task(self._send_probes(this_round))
            group.create_task(asyncio.sleep(phase.duration_s))
        tally.started_at_s = phase.starts_at_s
        tally.seconds = time.monotonic() - phase.starts_at_s
        tally.cpu_s = _cpu_s() - cpu_s
        tally.members = len(self._members)
        tally.frames = sum(member.frames for member in self._members)
        tally.frame_bytes = sum(member.frame_bytes for member in self._members)
        await self._await_answers(this_round)
        return tally

    async def _send(self, this_round: Round) -> None:
        phase, tally = this_round.phase, this_round.tally
        gifters = [member for member in self._members if isinstance(member, Gifter)]
        if not gifters:
            return
        if phase.window:
            for gifter in gifters:
                gifter.send_gifts(phase.window)
        sent = 0
        while (now_s := time.monotonic()) < phase.ends_at_s:
            due = math.floor((now_s - phase.starts_at_s) * phase.rate)
            while sent < due:
                meant_s = phase.starts_at_s + sent / phase.rate
                gifters[sent % len(gifters)].send_gift(int(meant_s * 1e6))
                tally.lag.record(int((time.monotonic() - meant_s) * 1e6))
                sent += 1
            await asyncio.sleep(TICK_S)
        tally.sent += next(this_round.numbers)

    async def _send_probes(self, this_round: Round) -> None:
        phase = this_round.phase
        probes = [member for member in self._members if isinstance(member, Probe)]
        if not probes or not phase.probe_rate:
            return
        for number in range(1, min(PROBES_MAX, math.floor(phase.duration_s * phase.probe_rate)) + 1):
            await asyncio.sleep(max(0.0, phase.probe_at_s(number) - time.monotonic()))
            for probe in probes:
                probe.send_probe(number)

    async def _await_answers(self, this_round: Round) -> None:
        """Wait until every gift has its answer."""
        tally = this_round.tally
        deadline_s = time.monotonic() + this_round.phase.answers_grace_s
        while tally.sent > tally.acked + tally.nacks.total() and time.monotonic() < deadline_s:
            await asyncio.sleep(TICK_S)
        tally.unanswered = tally.sent - tally.acked - tally.nacks.total()

    def screens(self) -> dict[str, tuple[int, int]]:
        """Room → gifts seen since the phase began, by the member that saw least and the one that saw most."""
        seen: dict[str, tuple[int, int]] = {}
        for member in self._members:
            least, most = seen.get(member.seat.room, (member.pieces, member.pieces))
            seen[member.seat.room] = min(least, member.pieces), max(most, member.pieces)
        return seen


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def _main() -> None:
    process = LoadProcess()

    async def enter(told: dict[str, Any]) -> dict[str, Any]:
        return await process.enter(Target(**told["target"]), [Seat(*seat) for seat in told["seats"]])

    async def phase(told: dict[str, Any]) -> dict[str, Any]:
        return (await process.phase(Phase(**told))).as_dict()

    async def tally(_: None) -> dict[str, Any]:
        return process.tally.as_dict()

    async def screens(_: None) -> dict[str, tuple[int, int]]:
        return process.screens()

    await follow_orders({"enter": enter, "phase": phase, "screens": screens, "tally": tally})
    process.close()


if __name__ == "__main__":
    uvloop.run(_main())
