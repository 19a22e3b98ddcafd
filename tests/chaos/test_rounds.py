"""Chaos, the short version: what was acknowledged is in the ledger exactly once, whatever was killed meanwhile."""

from __future__ import annotations

import pytest

from tests.chaos.faults import FAULTS
from tests.chaos.plan import KINDS, Plan, Strike, draw_plan
from tests.chaos.round import run_round

TIMEOUT_S = 240

KILLS = ("kill_valkey", "kill_gateway", "kill_worker", "kill_postgres_backend", "kill_postgres")
CUTS = ("freeze_gateway", "reset_redis_connections", "reset_postgres_connections", "fill_disk", "drain_gateway")


def plan(kind: str, strikes: tuple[str, ...], *, seed: int) -> Plan:
    """A short round with these strikes, a second and a half apart."""
    return Plan(
        seed=seed,
        kind=kind,
        strikes=tuple(Strike(1.0 + 1.5 * number, strike) for number, strike in enumerate(strikes)),
        purchases_at_s=(2.0,),
        gateways=2,
        wallet_shards=4,
        gifts_per_s=60.0,
        load_s=1.5 + 1.5 * len(strikes),
        outage_s=3.0,
    )


def test_a_seed_draws_its_round_again_and_as_many_seeds_as_there_are_kinds_draw_each_kind() -> None:
    drawn = [draw_plan(seed) for seed in range(100, 100 + len(KINDS))]
    assert drawn == [draw_plan(each.seed) for each in drawn]
    assert len({each.line() for each in drawn}) == len(drawn)
    assert {each.kind for each in drawn} == set(KINDS)
    assert {strike.fault for each in drawn for strike in each.strikes} == set(FAULTS)


@pytest.mark.slow
@pytest.mark.timeout(TIMEOUT_S)
@pytest.mark.parametrize(
    "short_round",
    [
        pytest.param(plan("kill", KILLS, seed=11), id="every process is killed, one after the other"),
        pytest.param(plan("cut", CUTS, seed=12), id="processes stop, connections break, the disk is full"),
        pytest.param(plan("older", ("older_valkey", "wipe_valkey"), seed=13), id="Redis comes back older, then empty"),
    ],
)
async def test_acknowledged_gifts_are_settled_exactly_once(short_round: Plan):
    """After older files or none exactly the unsettled gifts are gone, on both sides alike, and that is on record."""
    report = await run_round(short_round)
    assert report.ok, "\n".join([report.line(), *report.findings.lines, f"logs and data: {report.folder}"])
    assert report.settled > 0
