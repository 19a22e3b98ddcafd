"""Gifts through the project's own client of the wallet shards, without sockets: ``python -m loadtests.bench.feeder``.

Orders (see `loadtests.line_process`): `open` with settings, viewers and rooms; `drive` with how much and for how long.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import structlog
import uvloop

from loadtests.client.histogram import Histogram
from loadtests.client.members import ASKED_AGAIN, pause_s
from loadtests.line_process import follow_orders
from server.domain.gift import Accepted, Answer
from server.ledger import catalogue as ledger_catalogue
from server.settings import load_settings
from server.stores import postgres, redis
from server.wallet.gifting import Gifting
from server.wallet.opening import ShardOpener
from server.wallet.shards import WalletShards
from server.wallet.wallets import Wallets

LOADS_AT_ONCE = 32
TICK_S = 0.001


@dataclass(frozen=True, slots=True)
class FedRoom:
    """As much of a room as a gift needs."""

    id: str
    creator_id: str
    state: str = "live"


class Drive:
    """One stretch of gifts, each meant for the next viewer and the next room in turn."""

    def __init__(self, gifting: Gifting, viewers: list[str], rooms: list[FedRoom], told: dict[str, Any]) -> None:
        self.accepted = 0
        self.refused: Counter[str] = Counter()
        self.ack = Histogram()
        self.open = 0
        self._gifting = gifting
        self._viewers = viewers
        self._rooms = rooms
        self._told = told
        self._sent = 0
        self._idle = asyncio.Event()

    async def run(self) -> dict[str, Any]:
        """Closed loop with `window` gifts under way, or open loop with `rate` a second, until `seconds` or `gifts`."""
        told = self._told
        began_s, cpu_s = time.monotonic(), _cpu_s()
        self._until_s = began_s + (told.get("seconds") or 3600.0)
        self._most = told.get("gifts") or 10**12
        if told.get("rate"):
            while (now_s := time.monotonic()) < self._until_s and self._sent < self._most:
                while self._sent < (now_s - began_s) * told["rate"]:
                    self._send(began_s + self._sent / told["rate"])
                await asyncio.sleep(TICK_S)
        else:
            for _ in range(told["window"]):
                self._send(time.monotonic())
        while self.open:
            self._idle.clear()
            await self._idle.wait()
        return {
            "accepted": self.accepted,
            "refused": dict(self.refused),
            "seconds": time.monotonic() - began_s,
            "cpu_s": _cpu_s() - cpu_s,
            "ack": self.ack.as_dict(),
        }

    def _send(self, meant_s: float) -> None:
        turn = self._sent
        self._sent += 1
        self.open += 1
        self._ask(turn, meant_s)

    def _ask(self, turn: int, meant_s: float, attempt: int = 1) -> None:
        viewer = self._viewers[turn % len(self._viewers)]
        self._gifting.send(
            viewer=viewer,
            viewer_name=viewer,
            room=self._rooms[turn % len(self._rooms)],
            gift=self._told["gift"],
            count=1,
            request_id=f"{self._told['label']}-{turn}",
        ).then(lambda answer: self._answered(answer, turn, meant_s, attempt))

    def _answered(self, answer: Answer, turn: int, meant_s: float, attempt: int) -> None:
        if not isinstance(answer, Accepted):
            self.refused[str(answer.code)] += 1
            if answer.code in ASKED_AGAIN:
                # What became of it is known only when it is asked again, under the same id.
                asyncio.get_running_loop().call_later(pause_s(attempt), self._ask, turn, meant_s, attempt + 1)
                return
        else:
            self.accepted += 1
            self.ack.record(int((time.monotonic() - meant_s) * 1e6))
        self.open -= 1
        if not self._told.get("rate") and time.monotonic() < self._until_s and self._sent < self._most:
            self._send(time.monotonic())
        elif not self.open:
            self._idle.set()


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def _main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    async with AsyncExitStack() as stack:
        held: dict[str, Any] = {}

        async def open_stores(told: dict[str, Any]) -> str:
            settings = load_settings(told["environ"])
            client = await redis.connect(settings.redis_url)
            stack.push_async_callback(client.aclose)
            wait_aof = (await redis.durability(client)).wait_aof
            await redis.load_functions(client)
            pool = await postgres.connect(settings.database_url)
            stack.push_async_callback(pool.close)
            opener = ShardOpener(client, pool, settings)
            held["wallets"] = Wallets(client, pool, opener, settings)
            shards = WalletShards(client, held["wallets"], opener, settings, wait_aof=wait_aof)
            running = asyncio.create_task(shards.run())
            stack.callback(running.cancel)
            held["gifting"] = Gifting(await ledger_catalogue.load(pool), shards, settings)
            await opener.open_all()
            return "opened"

        async def seat(told: dict[str, Any]) -> str:
            held["viewers"] = told["viewers"]
            held["rooms"] = [FedRoom(*room) for room in told["rooms"]]
            if told.get("load", True):
                waiting = iter(told["viewers"])

                async def load() -> None:
                    for viewer in waiting:
                        await held["wallets"].balance(viewer)

                async with asyncio.TaskGroup() as group:
                    for _ in range(LOADS_AT_ONCE):
                        group.create_task(load())
            return "seated"

        async def drive(told: dict[str, Any]) -> dict[str, Any]:
            return await Drive(held["gifting"], held["viewers"], held["rooms"], told).run()

        await follow_orders({"open": open_stores, "seat": seat, "drive": drive})


if __name__ == "__main__":
    uvloop.run(_main())
