"""One round: an installation of its own, viewers who send gifts while things go wrong, and the comparison after."""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass, field
from random import Random

import aiohttp
import orjson

from tests.chaos import shard_states, verdict
from tests.chaos.faults import FAULTS, Scene, buy_coins
from tests.chaos.findings import Findings
from tests.chaos.fleet import Fleet
from tests.chaos.plan import Plan
from tests.chaos.rig import Rig
from tests.chaos.role import ROOT
from tests.chaos.town import plan_town

ANSWERED_TIMEOUT_S = 60.0
STRUCK_TIMEOUT_S = 120.0
SHOWN_TIMEOUT_S = 20.0
AUDIT_TIMEOUT_S = 120.0
ASKED_AGAIN = 200
"""Acknowledged gifts of a round that are asked about once more after everything has settled."""

GIVES_UP_SHARE = 0.05
"""Viewers who close the page in the middle, not knowing what became of their last gifts."""


@dataclass(slots=True)
class Report:
    """What a round did, and what it found."""

    plan: Plan
    findings: Findings
    counts: dict[str, int] = field(default_factory=dict)
    folder: str = ""
    took_s: float = 0.0
    settled: int = 0
    lost: int = 0
    incidents: int = 0
    audit: str = "not reached"
    skipped: set[str] = field(default_factory=set)

    @property
    def ok(self) -> bool:
        return not self.findings

    def line(self) -> str:
        """One line for people."""
        counts = " ".join(f"{name}={number}" for name, number in self.counts.items())
        skipped = f" NOT DONE: {', '.join(sorted(self.skipped))}" if self.skipped else ""
        lost = f" lost={self.lost} incidents={self.incidents}" if self.incidents else ""
        return (
            f"{'ok  ' if self.ok else 'FAIL'} seed={self.plan.seed} [{self.plan.line()}] {counts}"
            f" settled={self.settled}{lost} audit={self.audit} {self.took_s:.0f} s{skipped}"
        )


async def run_round(plan: Plan) -> Report:
    """Run it. Whatever breaks is a finding; the folder stays when there is one."""
    findings = Findings()
    report = Report(plan, findings)
    rng = Random(plan.seed + 1)
    began_s = time.monotonic()
    town = plan_town(rng)
    rig = Rig(
        findings,
        gateways=plan.gateways,
        wallet_shards=plan.wallet_shards,
        greedy=plan.greedy,
        shiftable_clock=plan.shifts_clock,
    )
    report.folder = str(rig.folder)
    fleet = Fleet(town, rig.settings, rig.addresses, rng, findings)
    scene = Scene(rig, fleet, rng, plan.outage_s)
    try:
        await rig.start(town)
        await fleet.start(plan.gifts_per_s)
        await _play(plan, scene)
        await _settle(scene)
        await _compare(scene, report)
    except Exception as error:  # noqa: BLE001 - the round is what is under test: how it ends is its result
        findings.add(f"the round broke off: {type(error).__name__}: {error}")
    finally:
        report.counts = fleet.book.counts()
        report.lost = len(scene.losses.acks)
        report.incidents = len(scene.losses.incidents)
        report.skipped = scene.skipped
        await fleet.close()
        await _end(rig, findings)
        report.took_s = time.monotonic() - began_s
    if report.ok:
        rig.remove()
    return report


async def _play(plan: Plan, scene: Scene) -> None:
    """Gifts, and what goes wrong meanwhile."""
    fleet = scene.fleet
    fleet.play()
    loop = asyncio.get_running_loop()
    began_s = loop.time()

    async def at(at_s: float, what: str) -> None:
        await asyncio.sleep(began_s + at_s - loop.time())
        await (buy_coins if what == "buy_coins" else FAULTS[what])(scene)

    events = [at(strike.at_s, strike.fault) for strike in plan.strikes]
    events += [at(at_s, "buy_coins") for at_s in plan.purchases_at_s]
    striking = asyncio.gather(*events)
    await asyncio.sleep(plan.load_s / 2)
    for viewer in fleet.viewers:
        if viewer.rng.random() < GIVES_UP_SHARE:
            viewer.give_up()
    await asyncio.sleep(began_s + plan.load_s - loop.time())
    async with asyncio.timeout(STRUCK_TIMEOUT_S):
        await striking
    await fleet.stop_playing()


async def _settle(scene: Scene) -> None:
    """Everything runs again: all gifts get their answers, all logs are read to their end."""
    rig, fleet = scene.rig, scene.fleet
    await rig.wait_ready()
    await fleet.wait_answered(ANSWERED_TIMEOUT_S)
    await fleet.wait_joined()
    await shard_states.wait_drained(rig.stores, rig.settings.wallet_shards)
    # The same question after it all: what was acknowledged stands, and nothing is charged again.
    acked = [
        request
        for request in fleet.book.requests.values()
        if any(not scene.losses.lost(request.id, ack) for ack in request.acks)
    ]
    by_id = {viewer.id: viewer for viewer in fleet.viewers}
    forgetful, fleet.book.forgetful = fleet.book.forgetful, False
    for request in scene.rng.sample(acked, min(ASKED_AGAIN, len(acked))):
        if not by_id[request.viewer].gave_up and not (forgetful and len(request.acks) > 1):
            by_id[request.viewer].ask_again(request)
    await fleet.wait_answered(ANSWERED_TIMEOUT_S)
    await shard_states.wait_drained(rig.stores, rig.settings.wallet_shards)


async def _compare(scene: Scene, report: Report) -> None:
    rig, fleet, findings = scene.rig, scene.fleet, report.findings
    ledger = await verdict.read_gifts(rig.stores)
    report.settled = sum(len(rows) for rows in ledger.values())
    verdict.compare_gifts(fleet, scene.losses, ledger, findings)
    await _wait_shown(scene, ledger)
    await verdict.compare_rooms(rig.stores, fleet, ledger, findings)
    await verdict.compare_wallets(rig.stores, fleet, ledger, await _shown_coins(scene), findings)
    metrics = "".join([await rig.metrics(role) for role in (*rig.gateways, *rig.workers)])
    await verdict.compare_incidents(rig.stores, scene.losses, rig.logs(), metrics, findings)
    await _audit(scene, report)


async def _wait_shown(scene: Scene, ledger: dict[str, list[verdict.Row]]) -> None:
    """Give the last deltas time to reach the screens; what they show is compared afterwards."""
    gifts = dict.fromkeys(scene.fleet.town.rooms, 0)
    for rows in ledger.values():
        for row in rows:
            gifts[row.room] += row.count
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + SHOWN_TIMEOUT_S
    while loop.time() < deadline_s and any(
        view.gifts != gifts[room] for tab in scene.fleet.tabs for room, view in tab.views.items()
    ):
        await asyncio.sleep(0.05)


async def _shown_coins(scene: Scene) -> dict[str, int]:
    """The balance of each viewer as HTTP tells it; purchases are in once the sweeper was there."""
    shown: dict[str, int] = {}
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + SHOWN_TIMEOUT_S
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http:
        await _wait_credits(scene, deadline_s)
        for viewer in scene.fleet.town.viewers:
            headers = {"Authorization": f"Bearer {scene.fleet.town.token(scene.rig.settings, viewer)}"}
            address = scene.rng.choice(scene.rig.addresses)
            while True:
                async with http.get(f"http://{address}/api/v1/wallet", headers=headers) as answer:
                    if answer.status == 200:
                        shown[viewer] = (await answer.json())["coins"]
                        break
                    # A connection to a store that broke is noticed by whoever uses it next, and answered with 503.
                    if answer.status != 503 or loop.time() > deadline_s:
                        scene.rig.findings.add(f"GET /wallet of {viewer}: {answer.status}")
                        break
                await asyncio.sleep(0.05)
    return shown


async def _wait_credits(scene: Scene, deadline_s: float) -> None:
    """Return when every purchase was seen in Redis, or at the deadline."""
    connection = await scene.rig.stores.postgres.connect()
    try:
        while asyncio.get_running_loop().time() < deadline_s:
            if not await connection.fetchval("SELECT count(*) FROM credits WHERE applied_at IS NULL"):
                return
            await asyncio.sleep(0.1)
    finally:
        await connection.close()


async def _audit(scene: Scene, report: Report) -> None:
    """`giftstream audit`, as an operator runs it."""
    settings = scene.rig.settings.as_environ()
    direct = {"REDIS_URL": scene.rig.stores.valkey.url, "DATABASE_URL": scene.rig.stores.postgres.url}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "server", "audit", "--json",
        cwd=ROOT, env={"PATH": "/usr/bin:/bin", **settings, **direct},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(AUDIT_TIMEOUT_S):
        out, error = await process.communicate()
    try:
        said = orjson.loads(out)
        broken = [f"{check['name']}: {check['detail']}" for check in said["checks"] if not check["ok"]]
    except (ValueError, KeyError):
        said, broken = {"ok": False}, [f"unreadable: {out[-300:]!r} {error[-300:]!r}"]
    report.audit = "holds" if said["ok"] and process.returncode == 0 else "BROKEN"
    for line in broken:
        report.findings.add(f"audit: {line}")
    report.findings.expect(process.returncode == 0, f"audit: exit code {process.returncode}")


async def _end(rig: Rig, findings: Findings) -> None:
    try:
        await rig.stop()
    except Exception as error:  # noqa: BLE001 - what is left is ended by force, and said
        findings.add(f"the installation did not stop: {type(error).__name__}: {error}")
        rig.kill()
