"""How many gifts a second one reader brings into rooms: `python -m tests.rooms.throughput [gifts]`.

Fills the shards' logs of an embedded Valkey with full batches, then times one reader, which has one core, on them.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import cast

from server.domain.gift import encode_body
from server.rooms.apply import RoomsReader
from server.settings import Settings
from server.stores import keys
from server.stores.embedded_valkey import EmbeddedValkey
from server.stores.postgres import Pool
from server.stores.redis import connect, load_functions
from tests.rooms.room_calls import load

ROOMS = 20
VIEWERS = 5_000
BATCH = 128
SHARDS = 16


async def measure(gifts: int) -> None:
    """Prints one line for each run."""
    with tempfile.TemporaryDirectory(prefix="gs-") as folder:
        valkey = EmbeddedValkey(Path(folder) / "v", memory_mb=1024)
        await valkey.start()
        redis = await connect(valkey.url)
        try:
            await load_functions(redis)
            for room in range(ROOMS):
                await load(redis, f"r{room}")
            for shard in range(SHARDS):
                await redis.fcall("gs_reset", 1, keys.shard(shard), 0, 0, "", "1", str(SHARDS), "t")
                await redis.fcall("gs_open", 1, keys.shard(shard), "1", "0", "t", "t")
                await _fill(redis, shard, gifts // SHARDS)
            # All rooms are loaded: the ledger is never asked.
            reader = RoomsReader(
                redis, cast("Pool", None), Settings(wallet_shards=SHARDS, drain_timeout_s=600), "throughput"
            )
            await redis.config_resetstat()
            began_s, cpu_s = time.perf_counter(), time.process_time()
            await reader.drain()
            took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
            counted = reader.counts.gifts
            calls = (await redis.info("commandstats"))["cmdstat_fcall"]
            print(
                f"{counted} gifts in {took_s:.2f} s, {cpu_s:.2f} s of them on the reader's core: "
                f"{counted / took_s:,.0f} gifts/s, {counted / cpu_s:,.0f} per second of CPU; "
                f"{reader.counts.ticks} deltas, {calls['usec'] / 1e6:.2f} s in the functions"
            )
        finally:
            await redis.aclose()
            await valkey.stop()


async def _fill(redis, shard: int, gifts: int) -> None:
    pipeline = redis.pipeline(transaction=False)
    for first in range(1, gifts + 1, BATCH):
        records = [_record(number, shard) for number in range(first, min(first + BATCH, gifts + 1))]
        last = first + len(records) - 1
        pipeline.xadd(keys.shard_log(shard), {"g": b"[" + b",".join(records) + b"]"}, id=f"1-{last}")
    pipeline.hset(keys.shard(shard), "number", gifts)
    await pipeline.execute()
    await redis.fcall("gs_open", 1, keys.shard(shard), "1", str(gifts), "t", "t")


def _record(number: int, shard: int) -> bytes:
    viewer = f"u_{(number * 31 + shard * 7919) % VIEWERS:05d}"
    body = encode_body(
        request_id=f"0192f3c4-{number:08d}",
        viewer=viewer,
        viewer_name=f"Viewer {viewer}",
        room=f"r{number % ROOMS}",
        creator="creator",
        gift="rose",
        version=1,
        count=1,
        coins=1,
        diamonds=1,
    )
    return b"[%d,1790000000000000,1000,1,%d,%b]" % (number, number, body.encode())


if __name__ == "__main__":
    asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000))
