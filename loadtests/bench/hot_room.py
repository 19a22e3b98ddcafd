"""c. One hot room: everybody watches, hundreds give, and every gift must be on every screen at once."""

from __future__ import annotations

from loadtests.bench.bench_run import BenchRun
from loadtests.bench.clean import check
from loadtests.bench.measure import Goal, Measure
from loadtests.client.fleet import Fleet
from loadtests.client.plan import Phase, Seat
from loadtests.client.tally import Tally
from loadtests.funding import give_coins, open_rooms, token
from loadtests.ledger_pool import ledger_pool
from loadtests.served import serve

PART = "c. one hot room"
GIFTERS = 100
PROBE_RATE = 20.0
"""Timed gifts a second: each is timed at each viewer's socket, from the moment it was meant to be sent."""

COINS = 10**9
PROBE_COINS = 10**11

CASES = ((2000, 2000), (5000, 500))
"""Viewers, and gifts a second."""

BYTES_PER_KB = 1000


async def measure(run: BenchRun) -> list[Measure]:
    """Both sizes in one server; the second only adds viewers."""
    seconds = run.pick(3.0, 2.0)
    measures: list[Measure] = []
    async with serve(gateways=2) as served, ledger_pool(served.settings) as pool, Fleet(2) as fleet:
        (room,) = await open_rooms(pool, 1, "hot")
        gifters = [f"gifter-{n}" for n in range(GIFTERS)]
        await give_coins(pool, gifters, COINS)
        await give_coins(pool, ["probe"], PROBE_COINS)
        first = [Seat("probe", token(served.settings, "probe"), room, "probe")]
        first += [Seat(user, token(served.settings, user), room, "gifter") for user in gifters]
        seated = 0
        for viewers, rate in CASES:
            wanted = run.count(viewers, viewers // 10)
            users = [f"viewer-{n}" for n in range(seated, wanted - len(first) if not seated else wanted)]
            seats = [Seat(user, token(served.settings, user), room, "viewer") for user in users]
            took_s = await fleet.enter(served.target, seats if seated else first + seats)
            seated = wanted
            run.say(f"hot room: {wanted} members ({took_s:.1f} s to join), {rate} gifts/s")
            await fleet.run(Phase(1.0, rate=rate / 2))
            tallies, cpu_us = [], []
            for _ in range(run.repeats):
                cpu_s = served.cpu_s()
                tally = await fleet.run(Phase(seconds, rate=rate, probe_rate=PROBE_RATE))
                check(run, tally)
                tallies.append(tally)
                cpu_us.append((sum(served.cpu_s().values()) - sum(cpu_s.values())) / tally.seconds)
            measures += _figures(f"{wanted} viewers, {rate} gifts/s", tallies, cpu_us, judged=rate == CASES[0][1])
    return measures


def _figures(where: str, tallies: list[Tally], cpu: list[float], *, judged: bool) -> list[Measure]:
    def per_viewer(total: str, unit: float = 1.0) -> list[float]:
        return [getattr(tally, total) / tally.members / tally.seconds / unit for tally in tallies]

    def ms(name: str, percent: float) -> list[float]:
        return [getattr(tally, name).percentile(percent) / 1000 for tally in tallies]

    return [
        Measure(PART, f"{where}: gift to every screen, p50", "ms", ms("delivery", 50)),
        Measure(PART, f"{where}: p99", "ms", ms("delivery", 99), goal=Goal("≤", 200)),
        Measure(PART, "  gift to gift_ack, p99", "ms", ms("ack", 99)),
        Measure(PART, f"{where}: frames", "/s and viewer", per_viewer("frames"), goal=Goal("≤", 12)),
        Measure(
            PART,
            f"{where}: bytes",
            "KB/s and viewer",
            per_viewer("frame_bytes", BYTES_PER_KB),
            goal=Goal("≤", 30) if judged else None,
        ),
        Measure(PART, "  CPU of the server, all of it", "cores", cpu),
        Measure(PART, "  CPU of the load client", "cores", [tally.cpu_s / tally.seconds for tally in tallies]),
    ]
