"""The check that ends every load test: what the givers were told is what the ledger has, to the last gift and coin."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from loadtests.swarm.accounts import Account
from loadtests.swarm.record import Sent

AT_ONCE = 16
SETTLED_TIMEOUT_S = 120.0
POLL_S = 0.5
ANSWER_TIMEOUT_S = 15.0
ASK_AGAIN_MAX = 20
PAGE = 100


@dataclass(slots=True)
class Verdict:
    """faults: one line each; empty when all is conserved."""

    gifts: int = 0
    coins: int = 0
    givers: int = 0
    asked_again: int = 0
    faults: list[str] = field(default_factory=list)


async def check_conservation(url: str, sent: list[Sent], accounts: list[Account]) -> Verdict:
    """Ask about what was left unanswered, wait for settlement, then compare each giver's history with its acks."""
    held = {account.user: account for account in accounts}
    verdict = Verdict(givers=len(sent))
    waiting = iter(sent)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as session:

        async def check_some() -> None:
            for record in waiting:
                await _check_one(session, url, record, held[record.user], verdict)

        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(check_some())
    return verdict


async def _check_one(
    session: aiohttp.ClientSession, url: str, record: Sent, account: Account, verdict: Verdict
) -> None:
    if record.open:
        verdict.asked_again += len(record.open)
        await _ask_again(session, url, record, account, verdict)
    gifts = await _settled_history(session, url, account, verdict)
    ids = [gift["gift_id"] for gift in gifts]
    acked = set(record.acked.values())
    if len(ids) != len(set(ids)):
        verdict.faults.append(f"{account.user}: {len(ids) - len(set(ids))} gifts stand in the ledger twice")
    if missing := acked - set(ids):
        verdict.faults.append(
            f"{account.user}: {len(missing)} acknowledged gifts are not in the ledger: {_few(missing)}"
        )
    if strange := set(ids) - acked:
        verdict.faults.append(
            f"{account.user}: {len(strange)} gifts in the ledger were never acknowledged: {_few(strange)}"
        )
    if len(acked) != len(record.acked):
        verdict.faults.append(f"{account.user}: two requests were acknowledged as one gift")
    spent = sum(gift["coins"] for gift in gifts)
    wallet = await _get(session, url, "/wallet", account)
    if wallet["coins"] != account.coins - spent or wallet["pending"] != 0:
        verdict.faults.append(f"{account.user}: had {account.coins} coins, gave {spent}, has {wallet}")
    verdict.gifts += len(ids)
    verdict.coins += spent


async def _settled_history(
    session: aiohttp.ClientSession, url: str, account: Account, verdict: Verdict
) -> list[dict[str, Any]]:
    """All gifts of a giver, once they are settled."""
    deadline_s = asyncio.get_running_loop().time() + SETTLED_TIMEOUT_S
    while (await _get(session, url, "/wallet", account))["pending"]:
        if asyncio.get_running_loop().time() > deadline_s:
            verdict.faults.append(f"{account.user}: not settled after {SETTLED_TIMEOUT_S:.0f} s")
            break
        await asyncio.sleep(POLL_S)
    gifts: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = await _get(session, url, f"/wallet/gifts?limit={PAGE}{cursor}", account)
        gifts += page["gifts"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    unsettled = sum(gift["status"] != "settled" for gift in gifts)
    if unsettled:
        verdict.faults.append(f"{account.user}: {unsettled} gifts are not settled")
    return gifts


async def _ask_again(
    session: aiohttp.ClientSession, url: str, record: Sent, account: Account, verdict: Verdict
) -> None:
    """Send what was left open under its own id: whatever became of it, the answer tells."""
    async with session.ws_connect(f"{url.replace('http', 'ws', 1)}/ws") as socket:
        await socket.send_json({"type": "hello", "token": account.token})
        await _answer(socket, "welcome")
        joined: set[str] = set()
        for request_id, (room, gift, count) in list(record.open.items()):
            if room not in joined:
                await socket.send_json({"type": "join", "room": room})
                await _answer(socket, "joined")
                joined.add(room)
            for _ in range(ASK_AGAIN_MAX):
                await socket.send_json({"type": "gift", "id": request_id, "room": room, "gift": gift, "count": count})
                answer = await _answer(socket, "gift_ack", "gift_nack")
                if answer["type"] == "gift_ack":
                    record.acked[request_id] = answer["gift_id"]
                elif answer["code"] in {"busy", "unavailable", "rate_limited"}:
                    await asyncio.sleep(POLL_S)
                    continue
                del record.open[request_id]
                break
    if record.open:
        verdict.faults.append(f"{account.user}: no answer to {len(record.open)} gifts, however often asked")


async def _answer(socket: aiohttp.ClientWebSocketResponse, *kinds: str) -> dict[str, Any]:
    async with asyncio.timeout(ANSWER_TIMEOUT_S):
        while True:
            frame: dict[str, Any] = await socket.receive_json()
            if frame["type"] in kinds:
                return frame


async def _get(session: aiohttp.ClientSession, url: str, path: str, account: Account) -> Any:
    async with session.get(f"{url}/api/v1{path}", headers={"Authorization": f"Bearer {account.token}"}) as response:
        response.raise_for_status()
        return await response.json()


def _few(ids: set[str]) -> str:
    return ", ".join(sorted(ids)[:5])
