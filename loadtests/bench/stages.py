"""h. Stages: what each step of a gift costs the Python processes, each step alone and with its data at hand.

What sockets, stores and the event loop take between the steps is in parts a, b, d and f.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, cast

import hiredis
from aiohttp._websocket.reader import WebSocketDataQueue, WebSocketReader
from aiohttp.base_protocol import BaseProtocol

from loadtests.bench.bench_run import BenchRun
from loadtests.bench.feeder import FedRoom
from loadtests.bench.measure import Measure
from loadtests.client.frames import gift_frame_halves
from server.domain.catalogue import Catalogue, seed
from server.domain.gift import GiftOrder
from server.ledger.booking import _rows, add_up
from server.ledger.catalogue import Price
from server.ledger.directory import Known, Platform, RoomAccounts
from server.ledger.log import Stretch, _take
from server.rooms.room_tick import Held, ticks_of
from server.rooms.shard_log import RoomGift, by_room
from server.settings import Settings
from server.stores.redis import connect
from server.wallet.answers import decode_answers
from server.wallet.gift_calls import GiftCalls
from server.wallet.gifting import Gifting
from server.web import client_frames, server_frames
from server.web.counts import ACCEPTED, Counts

PART = "h. stages, each alone"
GIFTS = 64
"""In one call of a shard, and in one entry of its log: about what a busy shard sees."""

VIEWERS = 32
ROOMS = 4
SHARD = 7
NOW_US = 1_790_000_000_000_000


class _Orders:
    """In place of the wallet shards: keeps what it is given."""

    def __init__(self) -> None:
        self.held: list[GiftOrder] = []

    def submit(self, order: GiftOrder) -> None:
        self.held.append(order)


async def measure(run: BenchRun) -> list[Measure]:
    """CPU of one gift in each step, in the order in which it goes through them."""
    run.say("stages")
    measured = []
    for name, step in await _steps():
        measured.append(Measure(PART, name, "µs/gift", [_cost_us(step, run.pick(0.15, 0.05)) for _ in range(5)]))
    total = [sum(values) for values in zip(*(measure.values for measure in measured), strict=True)]
    return [*measured, Measure(PART, "all of these", "µs/gift", total)]


def _cost_us(step: Callable[[], object], seconds: float) -> float:
    """CPU of a step that does GIFTS gifts, a gift."""
    rounds, began_s = 0, time.process_time()
    while (used_s := time.process_time() - began_s) < seconds:
        step()
        rounds += 1
    return used_s / rounds / GIFTS * 1e6


async def _steps() -> list[tuple[str, Callable[[], object]]]:
    loop = asyncio.get_running_loop()
    head, tail = gift_frame_halves("0001", "room-1", "rose")
    raw = b"".join(b"%b%012d%b" % (head, n, tail) for n in range(GIFTS))

    def receive() -> list[bytes]:
        queue = WebSocketDataQueue(BaseProtocol(loop), 2**20, loop=loop)
        WebSocketReader(queue, 2**16, compress=False, decode_text=False).feed_data(raw)
        return [_finish(queue.read()).data for _ in range(GIFTS)]

    texts = receive()
    frames = cast("list[client_frames.Gift]", [client_frames.read(text) for text in texts])

    orders = _Orders()
    gifting = Gifting(Catalogue(seed()), cast("Any", orders), Settings())
    rooms = [FedRoom(f"room-{n}", f"creator-{n}") for n in range(ROOMS)]

    def price() -> None:
        orders.held.clear()
        for n, frame in enumerate(frames):
            viewer = f"viewer-{n % VIEWERS}"
            gifting.send(
                viewer=viewer, viewer_name=viewer, room=rooms[n % ROOMS], gift=frame.gift, count=1, request_id=frame.id
            )

    price()
    client = await connect("redis://127.0.0.1:1")
    calls = GiftCalls(client, Settings(), wait_aof=False, timeout_s=1.0)
    connection = client.connection_pool.make_connection()  # type: ignore[no-untyped-call]

    def pack() -> object:
        return connection.pack_commands([calls._command(SHARD, orders.held)])  # noqa: SLF001 - the very step that is measured

    answers = [b'["A",1,%d,%d,%d,%d,%d,""]' % (n + 1, NOW_US, 10**6 - n, n % 9 + 1, n + 1) for n in range(GIFTS)]
    reply = b"$%d\r\n[%b]\r\n" % (sum(map(len, answers)) + GIFTS + 1, b",".join(answers))

    def parse() -> Sequence[object]:
        reader = hiredis.Reader()
        reader.feed(reply)
        return decode_answers(SHARD, reader.gets())

    accepted = cast("Any", parse())

    def acknowledge() -> list[bytes]:
        return [
            server_frames.write(
                server_frames.GiftAck(frame.id, str(answer.gift_id), answer.coins, answer.combo, answer.at_us)
            )
            for frame, answer in zip(frames, accepted, strict=True)
        ]

    counts = Counts()
    packed = b"[%b]" % b",".join(
        b"[%d,%d,1000000,1,%d,%b]" % (n + 1, NOW_US, n + 1, order.body.encode()) for n, order in enumerate(orders.held)
    )
    entry = (b"1-%d" % GIFTS, {b"g": packed})

    def into_rooms() -> dict[str, list[RoomGift]]:
        gifts: dict[str, list[RoomGift]] = {}
        by_room(SHARD, [entry], gifts, _never)
        return gifts

    gifts_by_room = into_rooms()
    held = Held(b"1", caught_up=True)

    def tick() -> None:
        for room, gifts in gifts_by_room.items():
            for each in ticks_of(room, held.uncounted(gifts), held):
                each.arguments(600)

    def read() -> Stretch:
        stretch = Stretch(SHARD, 1, 0, 0)
        _take(stretch, GIFTS, packed)
        return stretch

    gifts = read().gifts
    kinds = {(kind.id, kind.version): Price(kind.coins, kind.diamonds) for kind in seed()}
    known = Known(
        wallets=cast("Any", {gift.viewer: n for n, gift in enumerate(gifts)}),
        rooms={room.id: RoomAccounts(room.creator_id, cast("Any", 1), cast("Any", 2)) for room in rooms},
        prices=kinds,
        platform=cast("Platform", SimpleNamespace()),
    )
    assert len(add_up(gifts, known).gifts) == GIFTS
    return [
        ("gateway: its frame out of the socket's bytes (aiohttp)", receive),
        ("gateway: the frame read and checked", lambda: [client_frames.read(text) for text in texts]),
        ("gateway: priced, its log record encoded", price),
        ("gateway: packed for Redis", pack),
        ("gateway: the answer parsed", parse),
        ("gateway: the acknowledgement encoded", acknowledge),
        ("gateway: counted for its metrics", lambda: [counts.gift(ACCEPTED, n / 1000) for n in range(GIFTS)]),
        ("worker, rooms: read from the log", into_rooms),
        ("worker, rooms: merged into a delta's entries", tick),
        ("worker, ledger: read from the log", read),
        ("worker, ledger: checked and added up", lambda: add_up(gifts, known)),
        ("worker, ledger: made a row", lambda: _rows(SHARD, 1, gifts)),
    ]


def _finish(reading: Any) -> Any:
    """The result of a coroutine that has nothing to wait for."""
    try:
        reading.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waits")


def _never(shard: int, entry_id: bytes) -> None:
    raise AssertionError(f"entry {entry_id!r} of shard {shard} cannot be read")
