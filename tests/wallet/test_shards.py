"""The way into the shards: batching, loading, opening, and what is answered when a store is away."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from redis.asyncio import Redis

from server.domain.catalogue import Catalogue, seed
from server.domain.errors import Code
from server.domain.gift import Accepted, Refused
from server.domain.ids import UserId, shard_of
from server.ledger import wallets as ledger_wallets
from server.settings import Settings
from server.stores import keys, postgres
from server.stores import redis as redis_store
from server.stores.embedded_valkey import EmbeddedValkey
from server.stores.postgres import Pool
from server.wallet import lane
from server.wallet.gifting import Gifting
from server.wallet.opening import ShardOpener
from server.wallet.shards import WalletShards
from server.wallet.unsettled import unsettled_gifts
from server.wallet.wallets import Wallets


@dataclass(frozen=True)
class Room:
    id: str = "r_1"
    creator_id: str = "creator"
    state: str = "live"


@dataclass
class Gateway:
    """The wallet side of one gateway process."""

    redis: Redis
    pool: Pool
    settings: Settings
    shards: WalletShards
    wallets: Wallets
    gifting: Gifting
    opener: ShardOpener

    def send(self, viewer: str, request: str, gift: str = "rose", count: int = 1, **more: object):  # type: ignore[no-untyped-def]
        more.setdefault("room", Room())
        return self.gifting.send(viewer=viewer, viewer_name=viewer, gift=gift, count=count, request_id=request, **more)  # type: ignore[arg-type]

    async def fund(self, viewer: str, coins: int, reference: str = "first") -> None:
        await ledger_wallets.grant(self.pool, UserId(viewer), coins, "promotion", f"{viewer}/{reference}", "test")


@asynccontextmanager
async def gateway_on(settings: Settings, *, wait_aof: bool = False) -> AsyncIterator[Gateway]:
    redis = await redis_store.connect(settings.redis_url)
    pool = await postgres.connect(settings.database_url)
    await redis_store.load_functions(redis)
    opener = ShardOpener(redis, pool, settings)
    wallets = Wallets(redis, pool, opener, settings)
    shards = WalletShards(redis, wallets, opener, settings, wait_aof=wait_aof)
    running = asyncio.create_task(shards.run())
    try:
        yield Gateway(redis, pool, settings, shards, wallets, Gifting(Catalogue(seed()), shards, settings), opener)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await redis.aclose()
        await pool.close()


@pytest.fixture
async def gateway(settings: Settings) -> AsyncIterator[Gateway]:
    async with gateway_on(settings) as gateway:
        yield gateway


async def test_a_first_gift_opens_the_shard_loads_the_wallet_and_pays(gateway: Gateway) -> None:
    await gateway.fund("ana", 100)
    answer = await gateway.send("ana", "a", "finger_heart", 3)
    assert isinstance(answer, Accepted)
    assert (answer.coins, answer.combo, answer.gift_id.number) == (85, 3, 1)
    assert await gateway.wallets.balance("ana") == replace(await gateway.wallets.balance("ana"), coins=85, pending=15)


async def test_gifts_of_one_viewer_are_answered_in_the_order_they_were_sent(gateway: Gateway) -> None:
    await gateway.fund("ana", 1000)
    await gateway.wallets.balance("ana")  # opens the shard: on a busy machine that may take longer than a gift waits
    answers = await asyncio.gather(*(gateway.send("ana", f"q{number}") for number in range(300)))
    assert [answer.coins for answer in answers] == list(range(999, 699, -1))  # type: ignore[union-attr]


async def test_what_waits_while_a_call_is_under_way_becomes_one_batch(gateway: Gateway) -> None:
    await gateway.fund("ana", 1000)
    await gateway.send("ana", "first")
    await asyncio.gather(*(gateway.send("ana", f"q{number}") for number in range(200)))
    shard = shard_of("ana", gateway.settings.wallet_shards)
    assert await gateway.redis.xlen(keys.shard_log(shard)) <= 1 + 2 + 1
    assert len(await unsettled_gifts(gateway.redis, "ana", gateway.settings.wallet_shards)) == 201


async def test_the_same_request_through_two_gateways_is_charged_once(gateway: Gateway, settings: Settings) -> None:
    await gateway.fund("ana", 100)
    async with gateway_on(settings) as other:
        first, second = await asyncio.gather(gateway.send("ana", "a"), other.send("ana", "a"))
    assert first == second
    assert (await gateway.wallets.balance("ana")).coins == 99


async def test_the_price_is_the_catalogues_and_not_the_clients(gateway: Gateway) -> None:
    await gateway.fund("ana", 1_000_000)
    answer = await gateway.send("ana", "a", "universe", 2)
    assert answer.coins == 1_000_000 - 2 * 34_999


@pytest.mark.parametrize("count", [0, -1, 10_000, 2**63, 1.0, 1.5, True, "1", None, [1]])
async def test_a_count_that_is_none_is_a_bad_count(gateway: Gateway, count: object) -> None:
    await gateway.fund("ana", 100)
    answer = await gateway.send("ana", "a", count=count)  # type: ignore[arg-type]
    assert answer.code == Code.BAD_COUNT
    assert (await gateway.wallets.balance("ana")).coins == 100


async def test_a_gift_that_never_was_is_unknown(gateway: Gateway) -> None:
    assert (await gateway.send("ana", "a", "cucumber")).code == Code.UNKNOWN_GIFT


async def test_what_could_never_be_a_gift_uses_up_its_request_id_too(gateway: Gateway) -> None:
    """A final refusal is an answer as any other: the same request gets it again, whatever it asks for then."""
    await gateway.fund("ana", 100)
    first = await gateway.send("ana", "a", "cucumber")
    assert await gateway.send("ana", "a") == first
    paid = await gateway.send("ana", "b")
    assert await gateway.send("ana", "b", "cucumber") == paid
    assert await gateway.send("ana", "b", count=0) == paid


@pytest.mark.parametrize(
    ("room", "gift", "count", "code"),
    [
        (Room(state="ended"), "rose", 1, Code.ROOM_ENDED),
        (Room(creator_id="ana"), "rose", 1, Code.SELF_GIFT),
        (Room(), "universe", 9_999, Code.LIMIT_EXCEEDED),
        (Room(), "universe", 1, Code.INSUFFICIENT_COINS),
    ],
)
async def test_refusals_take_nothing(gateway: Gateway, room: Room, gift: str, count: int, code: Code) -> None:
    await gateway.fund("ana", 100)
    answer = await gateway.send("ana", "a", gift, count, room=room)
    assert isinstance(answer, Refused)
    assert answer.code == code
    assert (await gateway.wallets.balance("ana")).coins == 100


async def test_a_retry_after_the_room_ended_gets_its_first_answer(gateway: Gateway) -> None:
    await gateway.fund("ana", 100)
    first = await gateway.send("ana", "a")
    assert await gateway.send("ana", "a", room=Room(state="ended")) == first
    assert await gateway.send("ana", "a", refusal=Code.NOT_JOINED) == first


async def test_credits_arrive_once_whatever_the_order(gateway: Gateway) -> None:
    await gateway.fund("ana", 100)
    await gateway.wallets.balance("ana")
    for number in range(20):
        await gateway.fund("ana", 10, f"more{number}")
    balances = await asyncio.gather(*(gateway.wallets.refresh("ana") for _ in range(5)))
    assert {balance.coins for balance in balances} == {300}
    assert await ledger_wallets.unapplied(gateway.pool, 0, 10) == []


async def test_a_blocked_wallet_sends_nothing_also_after_it_was_loaded_again(gateway: Gateway) -> None:
    await gateway.fund("ana", 100)
    await gateway.wallets.block("ana", True)
    assert (await gateway.send("ana", "a")).code == Code.WALLET_BLOCKED
    await gateway.redis.delete(keys.wallet(shard_of("ana", gateway.settings.wallet_shards), 1, "ana"))
    assert (await gateway.send("ana", "a")).code == Code.WALLET_BLOCKED
    await gateway.wallets.block("ana", False)
    assert isinstance(await gateway.send("ana", "a"), Accepted)


def happens_before_it_is_noted(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, happens: Callable[[], Awaitable[object]]
) -> None:
    """Once, when a wallet was brought up to date and before the ledger is told so."""
    is_followed, left = gateway.wallets._is_followed, [happens]

    async def later(viewer: str, **asked: Any) -> bool:
        if left:
            await left.pop()()
        return await is_followed(viewer, **asked)

    monkeypatch.setattr(gateway.wallets, "_is_followed", later)


async def test_a_shard_that_closes_before_it_is_noted_is_opened_again(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    await gateway.fund("ana", 100)
    happens_before_it_is_noted(gateway, monkeypatch, gateway.redis.function_flush)
    assert (await gateway.wallets.refresh("ana")).coins == 100
    assert await ledger_wallets.unapplied(gateway.pool, 0, 10) == []
    happens_before_it_is_noted(gateway, monkeypatch, gateway.redis.function_flush)
    await gateway.wallets.block("ana", True)
    assert (await gateway.wallets.balance("ana")).blocked


@pytest.mark.parametrize("blocked", [True, False])
async def test_of_two_who_block_and_free_a_wallet_at_once_both_are_done(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, blocked: bool
) -> None:
    await gateway.fund("ana", 100)
    happens_before_it_is_noted(gateway, monkeypatch, lambda: gateway.wallets.block("ana", not blocked))
    await gateway.wallets.block("ana", blocked)
    assert (await gateway.wallets.balance("ana")).blocked is not blocked
    assert await ledger_wallets.is_blocked(gateway.pool, UserId("ana")) is not blocked


WAITING_MAX = 400
"""Instead of thousands, which a machine that is busy with other tests cannot hand over before they are late."""


async def test_what_waits_is_bounded_and_the_rest_is_busy(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "ORDERS_WAITING_MAX", WAITING_MAX)
    await gateway.fund("ana", 100_000)
    await gateway.send("ana", "first")
    sent = [gateway.send("ana", f"q{number}") for number in range(WAITING_MAX + 50)]
    busy = [reply.answer for reply in sent if reply.answer is not None]
    assert len(busy) == 50
    assert all(answer.code == Code.BUSY and answer.retry_ms for answer in busy)
    answers = await asyncio.gather(*sent)
    accepted = [answer for answer in answers if isinstance(answer, Accepted)]
    assert {answer.code for answer in answers if isinstance(answer, Refused)} <= {Code.BUSY, Code.RATE_LIMITED}
    assert (await gateway.wallets.balance("ana")).coins == 100_000 - 1 - len(accepted)
    assert accepted


async def test_a_restarted_valkey_is_opened_again_and_nothing_acknowledged_is_gone(
    gateway: Gateway, valkey: EmbeddedValkey
) -> None:
    await gateway.fund("ana", 100)
    first = await gateway.send("ana", "a", count=10)
    await valkey.stop()
    refused = await asyncio.gather(*(gateway.send("ana", f"down{number}") for number in range(5)))
    assert {answer.code for answer in refused} == {Code.UNAVAILABLE}
    await valkey.start()
    assert await gateway.send("ana", "a", count=10) == first
    again = await gateway.send("ana", "b")
    assert (again.coins, again.gift_id.epoch, again.gift_id.number) == (89, 1, 2)


async def test_a_stalled_valkey_is_answered_with_unavailable_and_a_retry_is_not_charged_twice(
    gateway: Gateway, valkey: EmbeddedValkey
) -> None:
    await gateway.fund("ana", 100)
    await gateway.send("ana", "a")
    os.kill(valkey.child.pid, signal.SIGSTOP)
    try:
        answer = await gateway.send("ana", "b")
    finally:
        os.kill(valkey.child.pid, signal.SIGCONT)
    assert answer.code == Code.UNAVAILABLE
    assert isinstance(await gateway.send("ana", "b"), Accepted)
    assert (await gateway.wallets.balance("ana")).coins == 98


async def test_no_answer_is_given_before_it_is_on_disk_also_not_an_old_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Redis that syncs at its own pace, here never: the gift is in its memory, and so is its answer."""
    monkeypatch.setattr("server.wallet.lane.ANSWER_TIMEOUT_S", 0.6)
    monkeypatch.setattr("server.wallet.shards.ANSWER_TIMEOUT_S", 0.2)
    async with gateway_on(settings, wait_aof=True) as one, gateway_on(settings, wait_aof=True) as other:
        await one.fund("ana", 100)
        assert isinstance(await one.send("ana", "a"), Accepted)
        await one.redis.config_set("appendfsync", "no")
        try:
            late = [await each.send("ana", "b") for each in (one, other, other)]
        finally:
            await one.redis.config_set("appendfsync", "always")
        assert [answer.code for answer in late if isinstance(answer, Refused)] == [Code.UNAVAILABLE] * 3
        answer = await other.send("ana", "b")
        assert isinstance(answer, Accepted)
        assert (answer.gift_id.number, answer.coins) == (2, 98)


async def test_a_wiped_valkey_begins_a_new_epoch_and_the_ledger_is_right(gateway: Gateway) -> None:
    await gateway.fund("ana", 100)
    await gateway.send("ana", "a", count=10)
    await gateway.redis.flushall()
    await gateway.redis.function_flush()
    answer = await gateway.send("ana", "b")
    assert (answer.gift_id.epoch, answer.gift_id.number, answer.coins) == (2, 1, 99)
    incidents = await gateway.pool.fetch("SELECT kind FROM incidents")
    assert [row["kind"] for row in incidents] == ["redis_behind_ledger"]


async def test_a_connection_that_breaks_is_replaced_without_a_refusal(gateway: Gateway) -> None:
    await gateway.fund("ana", 100)
    await gateway.send("ana", "a")
    for client in await gateway.redis.client_list():
        await gateway.redis.client_kill_filter(_id=client["id"], skipme=True)
    assert isinstance(await gateway.send("ana", "b"), Accepted)


async def test_an_unset_ledger_refuses_and_comes_back(gateway: Gateway) -> None:
    """A wallet that must be loaded while Postgres is away: unavailable; afterwards all is well."""
    await gateway.fund("ana", 100)
    shard = shard_of("ana", gateway.settings.wallet_shards)
    await gateway.opener.open(shard)
    async with gateway.pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        assert (await gateway.send("ana", "a")).code == Code.UNAVAILABLE
    assert isinstance(await gateway.send("ana", "b"), Accepted)


class LateOpener(ShardOpener):
    """Takes its time between what it tells the ledger and what it tells Redis."""

    def __init__(self, redis: Redis, pool: Pool, settings: Settings) -> None:
        super().__init__(redis, pool, settings)
        self.announced, self.go_on = asyncio.Event(), asyncio.Event()

    async def _open_as_announced(self, shard: int, token: str) -> bool:
        self.announced.set()
        await self.go_on.wait()
        return await super()._open_as_announced(shard, token)


async def test_two_processes_may_open_a_shard_at_once_and_the_slower_one_finds_it_open(gateway: Gateway) -> None:
    await gateway.fund("ana", 100)
    late = LateOpener(gateway.redis, gateway.pool, gateway.settings)
    opening = asyncio.create_task(late.open(shard_of("ana", gateway.settings.wallet_shards)))
    await late.announced.wait()
    assert isinstance(await gateway.send("ana", "a"), Accepted)
    late.go_on.set()
    await asyncio.wait_for(opening, 10)
    assert (await gateway.send("ana", "b")).gift_id.number == 2


async def test_orders_are_answered_also_when_a_shard_can_never_be_opened(gateway: Gateway) -> None:
    """Without an answer they would hold up whatever comes after them."""
    await gateway.fund("ana", 100)
    await gateway.send("ana", "a")
    key = keys.shard(shard_of("ana", gateway.settings.wallet_shards))
    shards = await gateway.redis.hget(key, "shards")
    await gateway.redis.hset(key, "shards", "99")
    await gateway.redis.function_delete("giftstream_wallet")
    for request in ("b", "c"):
        assert (await asyncio.wait_for(gateway.send("ana", request), 10)).code == Code.UNAVAILABLE
    await gateway.redis.hset(key, "shards", shards)
    assert isinstance(await gateway.send("ana", "b"), Accepted)
