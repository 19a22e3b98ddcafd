"""The baseline's server: ``uvicorn loadtests.baselines.app:app``.

Every gift is published to all worker processes, and each writes it to each of its viewers of that room, a message each.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from redis.asyncio import BlockingConnectionPool, Redis

from loadtests.baselines.lua_per_gift import CONNECTIONS_MAX, LuaPerGift
from loadtests.baselines.postgres_per_gift import PostgresPerGift
from loadtests.baselines.store import Store

CHANNEL = "gifts"

rooms: dict[str, set[WebSocket]] = defaultdict(set)
store: Store = PostgresPerGift() if os.environ["BASELINE_STORE"] == "postgres" else LuaPerGift()
redis = Redis.from_pool(
    BlockingConnectionPool.from_url(os.environ["BASELINE_REDIS_URL"], max_connections=CONNECTIONS_MAX, timeout=None)
)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    await store.start()
    subscribed = redis.pubsub(ignore_subscribe_messages=True)
    await subscribed.subscribe(CHANNEL)
    listening = asyncio.create_task(listen(subscribed))
    yield
    listening.cancel()


app = FastAPI(lifespan=lifespan)


async def listen(subscribed: Any) -> None:
    async for message in subscribed.listen():
        room, _, text = message["data"].partition(b" ")
        await broadcast(room.decode(), text.decode())


async def broadcast(room: str, text: str) -> None:
    for viewer in list(rooms[room]):
        try:
            await viewer.send_text(text)
        except (RuntimeError, WebSocketDisconnect):
            rooms[room].discard(viewer)


@app.websocket("/ws")
async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    viewer, joined = "", ""
    try:
        while True:
            frame = orjson.loads(await websocket.receive_text())
            match frame["type"]:
                case "hello":
                    viewer = frame["token"]
                    await send(websocket, {"type": "welcome", "user": {"id": viewer, "name": viewer}})
                case "join":
                    joined = frame["room"]
                    rooms[joined].add(websocket)
                    await send(websocket, {"type": "joined", "room": joined})
                case "gift":
                    await take_gift(websocket, viewer, frame)
    except WebSocketDisconnect:
        rooms[joined].discard(websocket)


async def take_gift(websocket: WebSocket, viewer: str, frame: dict[str, Any]) -> None:
    paid = await store.pay(viewer, frame["room"], frame["gift"], frame["count"], frame["id"])
    if paid is None:
        await send(websocket, {"type": "gift_nack", "id": frame["id"], "code": "insufficient_coins"})
        return
    at = time.time_ns() // 1000
    shown = {"from": {"id": viewer, "name": viewer}, "gift": frame["gift"], "count": frame["count"], "at": at}
    delta = {"type": "delta", "room": frame["room"], "position": str(paid.number), "ts": at, "gifts": [shown]}
    await redis.publish(CHANNEL, frame["room"].encode() + b" " + orjson.dumps(delta))
    ack = {"type": "gift_ack", "id": frame["id"], "gift_id": str(paid.number), "coins": paid.coins, "at": at}
    await send(websocket, ack)


async def send(websocket: WebSocket, frame: dict[str, Any]) -> None:
    await websocket.send_text(orjson.dumps(frame).decode())
