"""``make profile``, the same as ``python -m loadtests.profile``: where the time of a gift goes, as tables in Markdown.

    LOAD=gifts     gifts of 500 givers in 50 rooms, as many as go through; or room: one hot room with 1,000 viewers
    SECONDS=8      how long it is looked at

Python processes are sampled with py-spy, which must be allowed to look into them (as root, or with ptrace permitted).
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace

from loadtests.bench.measure import number
from loadtests.client.fleet import Fleet
from loadtests.client.plan import Phase, Seat
from loadtests.funding import give_coins, open_rooms, token
from loadtests.ledger_pool import ledger_pool
from loadtests.profile.stacks import NoSamplesError, sample
from loadtests.profile.stores import commands, spent, statements
from loadtests.served import Served, serve
from server.stores import redis as redis_store
from server.stores.postgres import Pool

COINS = 10**9
ROWS_MAX = 18
SHARE_MIN = 0.01
WARM_UP_S = 1.0
SECONDS = 8
SECONDS_MAX = 600


@dataclass(frozen=True, slots=True)
class Load:
    """Who is there, and what the givers do; viewers are in the first room."""

    givers: int
    rooms: int
    viewers: int
    phase: Phase


LOADS = {
    "gifts": Load(500, 50, 0, Phase(WARM_UP_S, window=5, answers_grace_s=20.0)),
    "room": Load(100, 1, 1000, Phase(WARM_UP_S, rate=1000)),
}


async def main() -> int:
    """Look and print; 0 when all processes could be looked into, 2 for settings that say nothing."""
    try:
        load, seconds = asked(os.environ)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    async with serve(gateways=1) as served, ledger_pool(served.settings) as pool, Fleet(1) as fleet:
        await fleet.enter(served.target, await _seats(served, pool, load))
        await fleet.run(load.phase)
        return await _look(served, pool, fleet, load.phase, seconds)


def asked(environ: Mapping[str, str]) -> tuple[Load, float]:
    """What is to be looked at, and for how many seconds. Raises ValueError, with a sentence."""
    name, seconds = environ.get("LOAD", "") or "gifts", environ.get("SECONDS", "") or str(SECONDS)
    if name not in LOADS:
        raise ValueError(f"LOAD must be one of {', '.join(LOADS)}, not {name!r}")
    if not seconds.isascii() or not seconds.isdigit() or not 1 <= int(seconds) <= SECONDS_MAX:
        raise ValueError(f"SECONDS must be a whole number from 1 to {SECONDS_MAX}, not {seconds!r}")
    return LOADS[name], float(seconds)


async def _seats(served: Served, pool: Pool, load: Load) -> list[Seat]:
    givers = [f"giver-{n}" for n in range(load.givers)]
    viewers = [f"viewer-{n}" for n in range(load.viewers)]
    await give_coins(pool, givers, COINS)
    rooms = await open_rooms(pool, load.rooms, "room")
    seats = [Seat(user, token(served.settings, user), rooms[n % len(rooms)], "gifter") for n, user in enumerate(givers)]
    return seats + [Seat(user, token(served.settings, user), rooms[0], "viewer") for user in viewers]


async def _look(served: Served, pool: Pool, fleet: Fleet, phase: Phase, seconds: float) -> int:
    async with aclosing(await redis_store.connect(served.settings.redis_url)) as client:
        before, cpu_s = await commands(client), served.cpu_s()
        running = asyncio.create_task(fleet.run(replace(phase, duration_s=seconds + WARM_UP_S)))
        await asyncio.sleep(WARM_UP_S / 2)
        processes = ("gateway 1", "worker")
        looking = [sample(served.running.pids[process], seconds) for process in processes]
        *sampled, seen = await asyncio.gather(*looking, statements(pool, seconds), return_exceptions=True)
        tally = await running
        called = spent(before, await commands(client))
    gifts = tally.acked
    if gifts == 0:
        print("No gift was acknowledged, so there is nothing to share out.", file=sys.stderr)
        return 1
    used_us = {process: (used - cpu_s[process]) / gifts * 1e6 for process, used in served.cpu_s().items()}
    _print_table("CPU", ["process", "µs a gift"], [[process, number(us)] for process, us in used_us.items()])
    fine = True
    for process, counts in zip(processes, sampled, strict=True):
        if isinstance(counts, NoSamplesError):
            print(f"\n{process}: {counts}", file=sys.stderr)
            fine = False
        elif isinstance(counts, BaseException):
            raise counts
        else:
            _print_shares(process, counts, used_us[process])
    _print_commands(called, gifts, tally.seconds)
    if isinstance(seen, BaseException):
        raise seen
    _print_shares("PostgreSQL, by statement: each with all that it waits for", seen, None)
    print(f"\n{gifts:,} gifts acknowledged in {tally.seconds:.1f} s, py-spy looking on")
    return 0 if fine else 1


def _print_shares(title: str, counts: Counter[str], us_a_gift: float | None) -> None:
    total = counts.total() or 1
    rows, rest = [], total
    for place, count in counts.most_common(ROWS_MAX):
        if count / total < SHARE_MIN:
            break
        rows.append((place, count))
        rest -= count
    cells = [[place, f"{count / total:.1%}"] for place, count in [*rows, ("all others", rest)]]
    head = ["where", "share"]
    if us_a_gift is not None:
        head.append("µs a gift")
        for row, (_, count) in zip(cells, [*rows, ("", rest)], strict=True):
            row.append(number(count / total * us_a_gift))
    _print_table(title, head, cells)


def _print_commands(called: dict[str, tuple[int, int]], gifts: int, seconds: float) -> None:
    rows = sorted(called.items(), key=lambda item: -item[1][1])[:ROWS_MAX]
    cells = [
        [f"`{name}`", number(calls / seconds), number(us / calls), number(us / gifts)] for name, (calls, us) in rows
    ]
    title = "Valkey, by command: what functions call is in the time of `fcall` too"
    _print_table(title, ["command", "calls a second", "µs a call", "µs a gift"], cells)


def _print_table(title: str, head: list[str], rows: list[list[str]]) -> None:
    print(f"\n**{title}**\n\n| {' | '.join(head)} |\n| --- |{' ---: |' * (len(head) - 1)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
