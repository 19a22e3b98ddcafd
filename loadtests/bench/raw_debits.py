"""The wallet engine's limit, its function with arguments made ahead: ``python -m loadtests.bench.raw_debits``.

A few callers, each with a connection of its own and 128 gifts a call; nothing is computed between two calls.
"""

from __future__ import annotations

import asyncio
import resource
import time
from typing import Any

import uvloop

from loadtests.line_process import follow_orders
from server.domain.gift import Accepted, GiftOrder, encode_body
from server.domain.ids import shard_of
from server.settings import Settings, load_settings
from server.stores import keys, redis
from server.wallet.answers import decode_answers
from server.wallet.gift_calls import columns_of

CALLERS = 4
GIFTS_PER_CALL = 128


def _commands(settings: Settings, viewers: list[str], room: str, label: str, calls: int) -> list[tuple[Any, ...]]:
    """The calls, dealt out over the shards in turn."""
    by_shard: dict[int, list[str]] = {}
    for viewer in viewers:
        by_shard.setdefault(shard_of(viewer, settings.wallet_shards), []).append(viewer)
    shards = sorted(by_shard)
    limits = (
        settings.log_backlog_max // settings.wallet_shards,
        settings.combo_gap_ms * 1000,
        settings.dedupe_s,
        int(1_000_000 / settings.gifts_per_second),
        settings.gifts_burst,
    )
    made = []
    for call in range(calls):
        shard = shards[call % len(shards)]
        members = by_shard[shard]
        orders = []
        for n in range(GIFTS_PER_CALL):
            viewer, request_id = members[(call + n) % len(members)], f"{label}-{call}-{n}"
            body = encode_body(
                request_id=request_id,
                viewer=viewer,
                viewer_name=viewer,
                room=room,
                creator=f"creator-{room}",
                gift="rose",
                version=1,
                count=1,
                coins=1,
                diamonds=1,
            )
            orders.append(GiftOrder(viewer, request_id, "", f"{room}:rose", 1, 1, None, body))
        made.append(("FCALL", "gs_gifts", 1, keys.shard(shard), *limits, *columns_of(orders)))
    return made


async def drive(told: dict[str, Any]) -> dict[str, Any]:
    """Make the calls ready, then time them."""
    settings = load_settings(told["environ"])
    client = await redis.connect(settings.redis_url)
    connections = [client.connection_pool.make_connection() for _ in range(CALLERS)]
    commands = _commands(settings, told["viewers"], told["room"], told["label"], told["calls"])
    packed = iter([connections[0].pack_command(*command) for command in commands])
    replies: list[bytes] = []

    async def call(connection: Any) -> None:
        for command in packed:
            await connection.send_packed_command(command, check_health=False)
            replies.append(await connection.read_response(disable_decoding=True))

    for connection in connections:
        await connection.connect()
    began_s, cpu_s = time.monotonic(), _cpu_s()
    async with asyncio.TaskGroup() as group:
        for connection in connections:
            group.create_task(call(connection))
    seconds, spent_s = time.monotonic() - began_s, _cpu_s() - cpu_s
    accepted = sum(isinstance(answer, Accepted) for reply in replies for answer in decode_answers(0, reply))
    for connection in connections:
        await connection.disconnect()
    await client.aclose()
    return {"accepted": accepted, "seconds": seconds, "cpu_s": spent_s}


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    uvloop.run(follow_orders({"drive": drive}))
