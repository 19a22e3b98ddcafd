"""Rewarded ads and surveys: signed reports, each transaction once, never more in a day than the cap."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Any

import orjson
import pytest

from server.economy.earning.rewarded import CLOCK_DIFFERENCE_MAX_S, sign
from server.ledger.auditing.rewards import check_rewards
from server.ledger.earning import rewarded
from server.stores.postgres import Pool
from tests.web.conftest import StartGateway
from tests.web.gateways import Gateway

KEY = "a-key-that-only-the-tests-use-0123456789"
PROVIDERS = (
    f"acme ad {KEY} https://acme.example/watch?s={{session}}",
    f"polls survey {KEY[::-1]} https://polls.example/",
)


@pytest.fixture
async def gateway(start_gateway: StartGateway) -> Gateway:
    return await start_gateway(rewarded_providers=PROVIDERS, rewarded_ads_per_day=3)


async def begin(gateway: Gateway, token: str, kind: str = "ad") -> str:
    status, session = await gateway.post(f"/rewarded/{kind}", None, token)
    assert status == 201, session
    return str(session["id"])


async def report(gateway: Gateway, session: str, transaction: str, **changes: Any) -> tuple[int, Any]:
    """A report as the provider sends it, except for the changes."""
    body = orjson.dumps({"transaction": transaction, "session": session, "completed": changes.pop("completed", True)})
    key = changes.pop("key", KEY).encode()
    timestamp, nonce = str(changes.pop("at", int(time.time()))), changes.pop("nonce", secrets.token_hex(8))
    headers = {
        "Giftstream-Timestamp": timestamp,
        "Giftstream-Nonce": nonce,
        "Giftstream-Signature": sign(key, timestamp, nonce, body),
        "Content-Type": "application/json",
    } | changes.pop("headers", {})
    provider = changes.pop("provider", "acme")
    return await gateway.call("POST", f"/rewarded/reports/{provider}", data=changes.pop("body", body), headers=headers)


async def outcome(gateway: Gateway, session: str, transaction: str, **changes: Any) -> str:
    status, answer = await report(gateway, session, transaction, **changes)
    return str(answer["outcome"] if status == 200 else answer["code"])


async def test_a_report_rewards_once_however_often_it_is_told_and_shows_at_once(gateway: Gateway, pool: Pool) -> None:
    token = gateway.token("ann")
    ann = await gateway.enter(token)
    session = await begin(gateway, token)
    same = {"nonce": "the-same-nonce"}
    told = await asyncio.gather(
        *(report(gateway, session, "t1", **same) for _ in range(4)), *(report(gateway, session, "t1") for _ in range(4))
    )
    assert told == [(200, {"transaction": "t1", "outcome": "rewarded", "coins": 5})] * 8
    assert (await ann.receive("wallet"))["coins"] == 5
    assert (await ann.receive("notice"))["detail"]["coins"] == 5
    assert await outcome(gateway, session, "t2") == "repeated"
    _, rewards = await gateway.get("/rewards", token)
    assert [(one["source"], one["coins"]) for one in rewards["rewards"]] == [("rewarded", 5)]
    assert rewards["issued"] == {"purchased": 0, "promotional": 5}
    async with pool.acquire() as conn:
        assert all(check.ok for check in await check_rewards(conn))


async def test_only_what_a_known_provider_signed_just_now_is_taken(gateway: Gateway, pool: Pool) -> None:
    session = await begin(gateway, gateway.token("ann"))
    old, ahead = time.time() - CLOCK_DIFFERENCE_MAX_S - 2, time.time() + CLOCK_DIFFERENCE_MAX_S + 2
    forged = orjson.dumps({"transaction": "t1", "session": session, "completed": True, "coins": 1_000_000})
    for changes in (
        {"key": "some other key"},
        {"key": KEY[::-1]},  # of the other provider
        {"provider": "nobody"},
        {"provider": "polls"},
        {"body": forged},
        {"at": int(old)},
        {"at": int(ahead)},
        {"at": "now"},
        {"nonce": "short"},
        {"headers": {"Giftstream-Signature": "é"}},
    ):
        status, answer = await report(gateway, session, "t1", **changes)
        assert (status, answer["code"]) == (401, "unauthorized"), changes
    assert await pool.fetchval("SELECT count(*) FROM rewarded_reports") == 0
    assert await outcome(gateway, session, "t1", nonce="used-once") == "rewarded"
    other = await begin(gateway, gateway.token("ann"))
    assert await outcome(gateway, other, "t2", nonce="used-once") == "unauthorized"
    assert await outcome(gateway, other, "t1") == "idempotency_conflict"
    assert await outcome(gateway, "rw_nobody", "t3") == "not_found"
    survey = await begin(gateway, gateway.token("ann"), "survey")
    assert await outcome(gateway, survey, "t3") == "not_found"
    assert await outcome(gateway, survey, "t3", provider="polls", key=KEY[::-1]) == "rewarded"


async def test_no_more_in_a_day_than_the_cap_also_when_all_are_reported_at_once(gateway: Gateway, pool: Pool) -> None:
    token = gateway.token("ann")
    sessions = [await begin(gateway, token) for _ in range(7)]
    outcomes = await asyncio.gather(
        *(outcome(gateway, session, f"t{number}") for number, session in enumerate(sessions))
    )
    assert sorted(outcomes) == ["capped"] * 4 + ["rewarded"] * 3
    status, refused = await gateway.post("/rewarded/ad", None, token)
    assert (status, refused["code"]) == (403, "limit_exceeded")
    _, offered = await gateway.get("/rewarded", token)
    assert {offer["kind"]: offer["left"] for offer in offered["offers"]} == {"ad": 0, "survey": 3}
    await pool.execute("UPDATE rewarded_reports SET at = at - interval '1 day'")
    assert await outcome(gateway, await begin(gateway, token), "t-next-day") == "rewarded"


async def test_what_was_not_finished_or_too_late_is_noted_and_gives_nothing(gateway: Gateway, pool: Pool) -> None:
    token = gateway.token("ann")
    session = await begin(gateway, token)
    assert await outcome(gateway, session, "t1", completed=False) == "not_completed"
    await pool.execute("UPDATE rewarded_sessions SET expires_at = now()")
    assert await outcome(gateway, session, "t2") == "expired"
    await gateway.block("ann", True)
    assert await outcome(gateway, await begin(gateway, token), "t3") == "blocked"
    assert await pool.fetchval("SELECT count(*) FROM rewards") == 0


async def test_the_sandbox_plays_the_provider_in_demo_mode_and_only_there(start_gateway: StartGateway) -> None:
    demo, other = await start_gateway(demo=True, demo_bots=False), await start_gateway()
    token = demo.token("ann")
    session = await begin(demo, token, "survey")
    assert (await demo.post(f"/demo/rewarded/{session}", {"completed": True}, demo.token("bob")))[0] == 404
    for _ in range(2):
        status, answer = await demo.post(f"/demo/rewarded/{session}", {"completed": True}, token)
        assert (status, answer["outcome"], answer["coins"]) == (200, "rewarded", 50)
    assert (await demo.get("/wallet", token))[1]["coins"] == 50
    assert (await other.get("/rewarded", token))[1]["offers"] == []
    assert (await other.post("/rewarded/ad", None, token))[0] == 404
    assert (await other.post(f"/demo/rewarded/{session}", {"completed": True}, token))[0] == 404


async def test_nonces_and_sessions_are_kept_for_a_while(gateway: Gateway, pool: Pool) -> None:
    token = gateway.token("ann")
    assert await outcome(gateway, await begin(gateway, token), "t1") == "rewarded"
    await rewarded.forget(pool)
    assert await pool.fetchval("SELECT count(*) FROM rewarded_nonces") == 1
    await pool.execute("UPDATE rewarded_nonces SET at = now() - interval '2 hours'")
    await pool.execute("UPDATE rewarded_sessions SET started_at = now() - interval '3 days'")
    await rewarded.forget(pool)
    assert await pool.fetchval("SELECT count(*) FROM rewarded_nonces") == 0
    assert await pool.fetchval("SELECT count(*) FROM rewarded_sessions") == 0
    assert await pool.fetchval("SELECT count(*) FROM rewarded_reports") == 1
