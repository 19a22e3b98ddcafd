"""The check that ends a load test finds every kind of loss."""

from collections.abc import Callable
from copy import deepcopy

import aiohttp
import pytest

from loadtests.swarm.accounts import Account
from loadtests.swarm.conservation import check_conservation
from loadtests.swarm.record import Sent
from tests.serve_process import ServeProcess

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

ROOM = "r_demo_music"


@pytest.fixture
async def played(load_serve: ServeProcess) -> tuple[str, Sent, Account]:
    """A server where one viewer gave three gifts, and what this viewer was told."""
    url = load_serve.url
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{url}/api/v1/demo/login", json={"name": "Ada"}) as response:
            held = await response.json()
        sent = Sent(held["user"]["id"])
        async with session.ws_connect(f"{url.replace('http', 'ws', 1)}/ws") as socket:
            await socket.send_json({"type": "hello", "token": held["token"]})
            await socket.send_json({"type": "join", "room": ROOM})
            for n in range(3):
                await socket.send_json({"type": "gift", "id": f"g{n}", "room": ROOM, "gift": "rose", "count": 2})
            while len(sent.acked) < 3:
                frame = await socket.receive_json(timeout=60)
                if frame["type"] == "gift_ack":
                    sent.acked[frame["id"]] = frame["gift_id"]
    return url, sent, Account(held["user"]["id"], held["token"], held["coins"])


async def test_what_was_told_is_what_is_there_and_anything_else_is_a_fault(played: tuple[str, Sent, Account]) -> None:
    url, told, account = played

    async def faults(change: Callable[[Sent], None], coins: int = account.coins) -> list[str]:
        record = deepcopy(told)
        change(record)
        return (await check_conservation(url, [record], [Account(account.user, account.token, coins)])).faults

    assert await faults(lambda record: None) == []
    assert "not in the ledger" in (await faults(lambda record: record.acked.update(g9="w00-1-999")))[0]
    assert "never acknowledged" in (await faults(lambda record: record.acked.pop("g1") and None))[0]
    assert "acknowledged as one gift" in (await faults(lambda record: record.acked.update(g9=record.acked["g0"])))[0]
    assert "coins" in (await faults(lambda record: None, coins=account.coins + 1))[0]


async def test_a_gift_without_an_answer_is_asked_about_and_counts_with_what_became_of_it(
    played: tuple[str, Sent, Account],
) -> None:
    url, told, account = played
    del told.acked["g1"]
    told.open = {"g1": (ROOM, "rose", 2), "never-arrived": (ROOM, "rose", 1)}
    verdict = await check_conservation(url, [told], [account])
    assert verdict.faults == []
    assert (verdict.gifts, verdict.coins, verdict.asked_again) == (4, 7, 2)
