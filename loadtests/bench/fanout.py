"""d. Fan-out: the gateway's CPU a delivered frame beside a bare loop, and a delivered gift as they get more."""

from __future__ import annotations

import asyncio

from loadtests.bench.bench_run import BenchRun
from loadtests.bench.feeders import Feeders
from loadtests.bench.measure import Goal, Measure
from loadtests.client.fleet import START_AHEAD_S, Fleet
from loadtests.client.plan import Phase, Seat, Target
from loadtests.funding import give_coins, open_rooms, token
from loadtests.ledger_pool import ledger_pool
from loadtests.line_process import LineProcess
from loadtests.served import serve

PART = "d. fan-out"
VIEWERS = 2000
FEEDERS = 50
"""Their gifts go straight into the wallet shards, so that the gateway does nothing but fan out."""

COINS = 10**9
RATES = (10, 100, 1000, 5000)
COMPARED_RATE = 1000
TICK_S = 0.1
SETTLING_DOWN_S = 1.5
AFTERWARDS_S = 0.5


async def measure(run: BenchRun) -> list[Measure]:
    """One gateway, one room; then the bare loop with frames of the size that the room had, beside the same gifts."""
    seconds = run.pick(2.0, 1.5)
    viewers = run.count(VIEWERS, VIEWERS // 4)
    frame_us: dict[int, list[float]] = {}
    gift_us: dict[int, list[float]] = {}
    bytes_per_frame: dict[int, int] = {}
    async with serve(gateways=1) as served, ledger_pool(served.settings) as pool:
        (room,) = await open_rooms(pool, 1, "fan")
        givers = [f"giver-{n}" for n in range(FEEDERS)]
        await give_coins(pool, givers, COINS)
        seats = [Seat(f"viewer-{n}", token(served.settings, f"viewer-{n}"), room, "viewer") for n in range(viewers)]
        async with Feeders(served.settings) as feeders:
            await feeders.seat(givers, [room])
            async with Fleet(1) as fleet:
                run.say(f"fan-out: {viewers} viewers joined in {await fleet.enter(served.target, seats):.1f} s")
                await asyncio.sleep(SETTLING_DOWN_S)
                for rate in RATES:
                    run.say(f"fan-out: {rate} gifts/s")
                    frame_us[rate], gift_us[rate] = [], []
                    for _ in range(run.repeats):
                        cpu_s = served.cpu_s()["gateway 1"]
                        # All deltas of what is fed fall into the phase, and nothing else does.
                        counting = asyncio.create_task(fleet.run(Phase(seconds + AFTERWARDS_S)))
                        await asyncio.sleep(START_AHEAD_S)
                        fed = await feeders.drive(seconds=seconds, rate=rate)
                        tally = await counting
                        used_us = (served.cpu_s()["gateway 1"] - cpu_s) * 1e6
                        frame_us[rate].append(used_us / tally.frames)
                        gift_us[rate].append(used_us / (fed.accepted * viewers))
                        bytes_per_frame[rate] = tally.frame_bytes // tally.frames
            bare = await _bare(run, feeders, viewers, seconds, bytes_per_frame[COMPARED_RATE])
    return [
        Measure(
            PART,
            f"CPU a delivered frame, {viewers} viewers, {COMPARED_RATE} gifts/s",
            "µs",
            frame_us[COMPARED_RATE],
            f"bare loop, the same {bytes_per_frame[COMPARED_RATE]} bytes and gifts",
            bare,
            Goal("≤", 1.35, of_ratio=True),
        ),
        *(
            Measure(
                PART,
                f"CPU a delivered gift at {rate} gifts/s",
                "µs",
                gift_us[rate],
                goal=Goal("≤", 0.1) if rate == COMPARED_RATE else None,
            )
            for rate in RATES
        ),
    ]


async def _bare(run: BenchRun, feeders: Feeders, viewers: int, seconds: float, frame_bytes: int) -> list[float]:
    """µs a frame. The same gifts go on meanwhile, with nobody in their room: what else the machine does costs each
    write some of its caches.
    """
    run.say(f"fan-out: the bare loop, {frame_bytes} bytes a frame")
    costs_us = []
    async with LineProcess("loadtests.bench.bare_fanout") as bare, Fleet(1) as fleet:
        target = Target("127.0.0.1", await bare.tell("listen", None))
        await fleet.enter(target, [Seat(f"viewer-{n}", "", "bare", "viewer") for n in range(viewers)])
        for _ in range(run.repeats):
            order = {"frame_bytes": frame_bytes, "tick_s": TICK_S, "seconds": seconds}
            done, _ = await asyncio.gather(
                bare.tell("write", order), feeders.drive(seconds=seconds, rate=COMPARED_RATE)
            )
            costs_us.append(done["cpu_s"] / done["frames"] * 1e6)
    return costs_us
