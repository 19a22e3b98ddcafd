"""The whole path on real processes: every gift that was acknowledged is settled once, whatever is killed on the way."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable

import aiohttp
import orjson
import pytest

from server.stores.data_folder import Running
from tests.giver import Answer, Giver, get, next_frame, post
from tests.serve_process import ServeProcess, plain_environ

VIEWERS = 6
GIFTS_EACH = 60
PRICES = {"rose": 1, "finger_heart": 5, "perfume": 20, "hand_hearts": 100}
KILL_AT = {30: "gateway 1", 60: "worker", 90: "gateway 2"}
"""Which process is killed when so many gifts of the first viewer and the second one, together, were answered."""
TIMEOUT_S = 120.0
POLL_S = 0.05


@pytest.mark.slow
async def test_every_acknowledged_gift_is_settled_once_whatever_is_killed(
    start_serve: Callable[..., ServeProcess],
) -> None:
    process = start_serve("--demo", "--gateways", "2", GIFTSTREAM_DEMO_BOTS="0")
    url = await asyncio.to_thread(lambda: process.url)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as http:
        creator = await post(http, f"{url}/api/v1/demo/login", name="Mira")
        room = (await post(http, f"{url}/api/v1/rooms", creator["token"], title="The whole path"))["id"]
        logins = [await post(http, f"{url}/api/v1/demo/login", name=f"Viewer {n}") for n in range(VIEWERS)]
        givers = [Giver(http, url, login, room) for login in logins]
        gifts = list(PRICES)
        plans = [
            [(f"gift-{n}", gifts[(n + who) % len(gifts)], 1 + n % 3) for n in range(GIFTS_EACH)]
            for who in range(VIEWERS)
        ]
        killing = asyncio.create_task(_kill_on_the_way(process, givers[:2]))
        await asyncio.gather(*(giver.give_all(plan) for giver, plan in zip(givers, plans, strict=True)))
        await killing
        assert sum(giver.connections for giver in givers) > VIEWERS

        # Everything once more, over new connections: the same answers, and nothing is charged.
        for giver, plan in zip(givers, plans, strict=True):
            first = dict(giver.answers)
            giver.answers.clear()
            await giver.give_all(plan)
            assert giver.answers == first
            assert giver.charged_again == []
        await _talk(http, url, givers[0], givers[1], room)
        spent = {giver.id: await _spent(http, url, giver) for giver in givers}
        paid = {
            giver.id: sum(PRICES[gift] * count for _, gift, count in plan)
            for giver, plan in zip(givers, plans, strict=True)
        }
        assert spent == paid

        await post(http, f"{url}/api/v1/rooms/{room}/end", creator["token"])
        for giver, plan in zip(givers, plans, strict=True):
            history = await _settled_history(http, url, giver.token)
            asked = {giver.answers[request_id]["gift_id"]: (gift, count) for request_id, gift, count in plan}
            assert {gift["gift_id"]: (gift["gift"], gift["count"]) for gift in history} == asked
            assert len(history) == len(plan)
        earnings = await get(http, f"{url}/api/v1/creator/earnings", creator["token"])
        assert earnings["diamonds"] == {"settled": sum(paid.values()), "pending": 0}
        shown = await get(http, f"{url}/api/v1/rooms/{room}")
        assert (shown["state"], shown["diamonds"]) == ("ended", sum(paid.values()))
        assert shown["gifts"] == sum(count for plan in plans for _, _, count in plan)
        top = (await get(http, f"{url}/api/v1/rooms/{room}/top?limit=10"))["top"]
        assert {place["user"]["id"]: place["coins"] for place in top} == paid

    report = await asyncio.to_thread(_audit, process)
    assert report["ok"], report
    assert all(check["ok"] for check in report["checks"]), report
    assert len(report["checks"]) >= 7
    assert process.end(signal.SIGTERM) == 0


async def _kill_on_the_way(process: ServeProcess, givers: list[Giver]) -> None:
    for answered, part in KILL_AT.items():
        while sum(len(giver.answers) for giver in givers) < answered:
            await asyncio.sleep(POLL_S / 10)
        running = Running(**orjson.loads((process.data_dir / "run.json").read_bytes()))
        os.kill(running.pids[part], signal.SIGKILL)
    await asyncio.to_thread(
        process.wait_for, lambda: sum("is back" in line for line in process.lines) == len(KILL_AT), "what was killed"
    )


async def _talk(http: aiohttp.ClientSession, url: str, speaker: Giver, reader: Giver, room: str) -> None:
    """What one says, the other reads."""
    async with http.ws_connect(f"{url}/ws") as reading, http.ws_connect(f"{url}/ws") as writing:
        for socket, who in ((reading, reader), (writing, speaker)):
            await socket.send_json({"type": "hello", "token": who.token})
            await socket.send_json({"type": "join", "room": room})
            await next_frame(socket, "joined")
        await writing.send_json({"type": "chat", "id": "hello", "room": room, "text": "good evening"})
        assert (await next_frame(writing, "ack"))["id"] == "hello"
        while not (lines := (await next_frame(reading, "delta")).get("chat")):
            pass
        assert [(line["from"]["id"], line["text"]) for line in lines] == [(speaker.id, "good evening")]


async def _spent(http: aiohttp.ClientSession, url: str, giver: Giver) -> int:
    return 10_000 - int((await get(http, f"{url}/api/v1/wallet", giver.token))["coins"])


async def _settled_history(http: aiohttp.ClientSession, url: str, token: str) -> list[Answer]:
    """All pages of a viewer's gifts, once every one is settled."""
    async with asyncio.timeout(TIMEOUT_S):
        while True:
            gifts: list[Answer] = []
            cursor: str | None = ""
            while cursor is not None:
                query = f"&cursor={cursor}" if cursor else ""
                page = await get(http, f"{url}/api/v1/wallet/gifts?limit=50{query}", token)
                gifts += page["gifts"]
                cursor = page["next"]
            if all(gift["status"] == "settled" for gift in gifts):
                return gifts
            await asyncio.sleep(POLL_S)


def _audit(process: ServeProcess) -> Answer:
    done = subprocess.run(
        [sys.executable, "-m", "server", "audit", "--json", "--data-dir", str(process.data_dir)],
        env=plain_environ(),
        cwd=process.data_dir.parent,
        capture_output=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    report: Answer = orjson.loads(done.stdout)
    return report
