"""A primary and its replica: the replica is promoted, with or without all that the primary acknowledged."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from server.domain.errors import Refusal
from server.domain.gift import Accepted
from server.ledger import openings
from server.ledger import rooms as ledger_rooms
from server.ledger import wallets as ledger_wallets
from server.ledger.log import ForeignRedisError
from server.ledger.settling import SettlingLoop
from server.ledger.shards import read_states
from server.rooms.loading import load_room
from server.rooms.log_reader import LogReader
from server.rooms.room_ends import RoomEnds
from server.rooms.rooms import Rooms
from server.settings import Settings
from server.stores import keys
from server.stores import redis as redis_store
from server.stores.embedded_valkey import EmbeddedValkey
from server.wallet import credit_sweeper
from server.wallet.credit_sweeper import CreditSweeper
from server.wallet.opening import ShardOpener
from tests.ledger.stage import ROOM, Stage, StageRoom, stage_on
from tests.rooms.waiting import eventually

FAST = {"gifts_per_second": 1_000_000, "gifts_burst": 1_000_000}


@dataclass
class Pair:
    """Two servers, one ledger: a primary, and a replica that follows it until it is cut off."""

    old: Stage
    replica: Redis
    settings: Settings
    stack: AsyncExitStack

    async def cut(self) -> None:
        """From here on the replica gets nothing; the primary lives on and does not know."""

        async def same() -> bool:
            primary, replica = await self.old.redis.info("replication"), await self.replica.info("replication")
            return bool(primary["master_repl_offset"] == replica["slave_repl_offset"])

        await eventually(same)
        await self.replica.replicaof("NO", "ONE")

    async def promoted(self) -> Stage:
        """Gateway and worker on the replica, which is the primary now. Whoever was not told stays with the old one."""
        return await self.stack.enter_async_context(stage_on(self.settings, first_request=1_000))

    async def incidents(self) -> set[str]:
        return {row["kind"] for row in await self.old.pool.fetch("SELECT kind FROM incidents")}


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


async def follow(replica: Redis, primary: Redis) -> None:
    """Returns when the replica has all that the primary has."""
    port = free_port()
    for name, value in (("bind", "127.0.0.1"), ("port", port), ("repl-diskless-sync-delay", 0)):
        await primary.config_set(name, value)
    await replica.replicaof("127.0.0.1", str(port))

    async def following() -> bool:
        return bool((await replica.info("replication"))["master_link_status"] == "up")

    await eventually(following)


@pytest.fixture
async def pair(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    async with AsyncExitStack() as stack:
        server = EmbeddedValkey(tmp_path_factory.mktemp("replica"), memory_mb=256)
        await server.start()
        stack.push_async_callback(server.stop)
        replica = await redis_store.connect(server.url)
        stack.push_async_callback(replica.aclose)
        old = await stack.enter_async_context(stage_on(replace(settings, **FAST)))
        stack.push_async_callback(old.redis.config_set, "port", 0)
        await old.room()
        await old.viewer("ann", 1_000)
        await follow(replica, old.redis)
        yield Pair(old, replica, replace(settings, **FAST, redis_url=server.url), stack)


async def coins(stage: Stage) -> int:
    return (await stage.wallets.balance("ann")).coins


async def settled(stage: Stage) -> list[int]:
    return [row["number"] for row in await stage.pool.fetch("SELECT number FROM gifts ORDER BY epoch, number")]


async def test_a_replica_that_has_everything_goes_on_in_the_same_epoch(pair: Pair) -> None:
    first, *_ = await pair.old.give("ann", times=3)
    await pair.cut()
    new = await pair.promoted()
    answers = await new.give("ann", times=2)
    assert [answer.gift_id.number for answer in answers] == [4, 5]
    assert await new.send("ann", "rose", 1, StageRoom(), "q1") == first, "a retry is answered as before"
    assert await new.settle() == 5
    assert await pair.incidents() == set()
    assert await coins(new) == 995
    assert (await new.audit()).ok


async def test_gifts_that_the_replica_never_got_are_lost_on_both_sides(pair: Pair) -> None:
    await pair.old.give("ann", times=2)
    await pair.cut()
    await pair.old.give("ann", times=3)
    new = await pair.promoted()
    await new.give("ann", times=1)
    assert await new.settle() == 3
    assert await coins(new) == 997
    assert (await new.audit()).ok


async def test_a_replica_that_is_behind_the_ledger_begins_anew_from_it(pair: Pair) -> None:
    await pair.old.give("ann", times=2)
    await pair.cut()
    await pair.old.give("ann", times=3)
    assert await pair.old.settle() == 5
    new = await pair.promoted()
    (answer,) = await new.give("ann", times=1)
    assert (answer.gift_id.epoch, answer.gift_id.number) == (2, 1)
    await new.settle()
    assert await pair.incidents() == {"redis_behind_ledger"}
    assert await coins(new) == 994
    assert (await new.audit()).ok


async def test_a_worker_that_still_reads_the_old_primary_settles_nothing_of_it(pair: Pair) -> None:
    """Its numbers would be those of other gifts, and the promoted server's gifts would count as settled."""
    await pair.old.give("ann", times=2)
    await pair.cut()
    new = await pair.promoted()
    await new.give("ann", count=10)
    await pair.old.give("ann", count=7, times=5)
    with pytest.raises(ForeignRedisError):
        await pair.old.settle()
    assert await settled(new) == []
    assert await new.settle() == 3
    assert await settled(new) == [1, 2, 3]
    assert await coins(new) == 988
    assert (await new.audit()).ok


async def test_what_a_worker_read_before_a_failover_says_nothing_of_the_log_that_came_instead(pair: Pair) -> None:
    """Else gifts of the promoted server that have the same numbers would be trimmed before their room counts them."""
    await pair.cut()
    await pair.old.give("ann", times=3)
    await pair.old.reader.leases.renew()
    reader = LogReader(pair.old.redis, pair.old.reader.leases, pair.old.settings.wallet_shards, _fail, lambda: None)
    await reader.read()
    new = await pair.promoted()
    await new.give("ann", times=3)
    await new.settle()
    log_key = keys.shard_log(new.shard("ann"))
    reader._redis = new.redis
    await reader.move_applied(lambda _, place: place)
    assert await new.redis.xlen(log_key) == 1
    await reader.read()
    await reader.read()
    await reader.move_applied(lambda _, place: place)
    assert await new.redis.xlen(log_key) == 0


def _fail(shard: int, entry: bytes) -> None:
    raise AssertionError(f"{entry!r} of shard {shard} cannot be read")


async def test_such_a_worker_is_put_on_record_once(pair: Pair) -> None:
    await pair.cut()
    new = await pair.promoted()
    await pair.old.give("ann")
    stop = asyncio.Event()
    loop = SettlingLoop(pair.old.redis, pair.old.pool, pair.old.settings, pair.old.opener.open)
    running = asyncio.create_task(loop.run(stop))

    async def on_record() -> bool:
        return await pair.incidents() == {"foreign_redis"}

    await eventually(on_record)
    stop.set()
    await running
    assert await settled(new) == []
    assert await new.pool.fetchval("SELECT count(*) FROM incidents") == 1


async def test_without_the_token_it_would(pair: Pair) -> None:
    """The same, where the old primary carries the promoted one's token: the check above is what protects."""
    await pair.old.give("ann", times=2)
    await pair.cut()
    new = await pair.promoted()
    (answer,) = await new.give("ann", count=10)
    await pair.old.give("ann", count=7, times=5)
    shard = keys.shard(new.shard("ann"))
    await pair.old.redis.hset(shard, "opening", await new.redis.hget(shard, "opening"))
    with pytest.raises(ResponseError, match="FENCED"):  # only after it is settled
        await pair.old.settler.settle_once(new.shard("ann"))
    assert await settled(new) == [1, 2, 3, 4, 5, 6, 7]
    assert await new.pool.fetchval("SELECT count FROM gifts WHERE number = $1", answer.gift_id.number) == 7
    assert not (await new.audit()).ok


async def test_a_gateway_that_keeps_its_old_connection_takes_nothing_from_anyone(pair: Pair) -> None:
    """What it acknowledges is on the old primary alone: the coins are still there on the new one."""
    await pair.cut()
    new = await pair.promoted()
    await new.give("ann")
    lost = await pair.old.give("ann", count=100, times=3)
    assert all(isinstance(answer, Accepted) for answer in lost)
    await new.settle()
    assert await coins(new) == 999
    assert (await new.audit()).ok


async def test_what_such_a_gateway_does_besides_reaches_the_new_primary_by_the_worker(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It books a purchase and ends a room; both are in the ledger, and the Redis that heard of them is gone."""
    monkeypatch.setattr(credit_sweeper, "CREDIT_AGE_S", 0.0)
    await pair.cut()
    new = await pair.promoted()
    await new.give("ann")
    await load_room(new.redis, new.pool, ROOM)
    sweeper = CreditSweeper(new.redis, new.pool, new.wallets, new.settings)
    ends = RoomEnds(new.redis, new.pool, new.settings)
    await sweeper.sweep()
    await ends.tell()
    await pair.old.viewer("ann", 50)
    await Rooms(pair.old.redis, pair.old.pool, pair.old.settings).end(ROOM)
    await sweeper.sweep()
    await ends.tell()
    assert await coins(new) == 999 + 50
    assert await new.redis.hget(keys.room(ROOM), "state") == b"ended"
    assert await ledger_rooms.ends_untold(new.pool, 10) == []
    assert await ledger_wallets.unapplied(new.pool, 0.0, 10) == []


async def test_such_a_gateway_does_not_say_that_a_wallet_is_blocked(pair: Pair) -> None:
    """Whoever asked is told to ask again, and asks a gateway that knows better."""
    await pair.cut()
    new = await pair.promoted()
    await new.give("ann")
    with pytest.raises(Refusal):
        await pair.old.wallets.block("ann", True)
    await new.wallets.block("ann", True)
    assert (await new.wallets.balance("ann")).blocked


async def test_an_old_primary_that_is_opened_again_begins_anew_from_the_ledger(pair: Pair) -> None:
    await pair.old.give("ann", times=2)
    await pair.cut()
    new = await pair.promoted()
    await new.give("ann", times=1)
    await new.settle()
    await pair.old.give("ann", count=50, times=2)
    await forget_openings(pair.old.redis)
    (answer,) = await pair.old.give("ann", times=1)
    assert answer.gift_id.epoch == 2
    assert await pair.incidents() == {"redis_left_behind"}
    assert await pair.old.settler.settle_once(new.shard("ann")) == 1
    assert await coins(pair.old) == 996


async def test_a_server_that_was_left_behind_is_another_process_to_its_readers_when_it_takes_over_again(
    pair: Pair,
) -> None:
    """It is resynchronised as a whole, and that loads the libraries anew: what they remember was of other data."""
    run = await pair.old.redis.fcall("gs_run", 1, keys.shard(0))
    await pair.cut()
    await pair.old.give("ann")
    await follow(pair.old.redis, pair.replica)
    await pair.old.redis.replicaof("NO", "ONE")
    assert await pair.old.redis.fcall("gs_run", 1, keys.shard(0)) != run
    assert not any(state.opened for state in await read_states(pair.old.redis, pair.settings.wallet_shards))


async def forget_openings(redis: Redis) -> None:
    """What a restart does to the fence."""
    libraries = await redis.function_list(library="giftstream_wallet", withcode=True)
    code = dict(zip(libraries[0][::2], libraries[0][1::2], strict=True))[b"library_code"]
    await redis.function_load(code.decode(), replace=True)


class DyingRedis:
    """A Redis whose caller dies at one function: before it took effect, or after."""

    def __init__(self, redis: Redis, function: str, *, after: bool) -> None:
        self._redis, self._function, self._after = redis, function, after

    async def fcall(self, function: str, *arguments: Any) -> Any:
        if function == self._function and not self._after:
            raise ConnectionResetError
        answer = await self._redis.fcall(function, *arguments)
        if function == self._function:
            raise ConnectionResetError
        return answer


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("times", [1, openings.ANNOUNCED_MAX + 4])
async def test_an_opener_that_dies_on_the_way_costs_nothing(stage: Stage, *, after: bool, times: int) -> None:
    """The shard goes on in its epoch, with all that was acknowledged, whoever opens it next."""
    await stage.viewer("ann", 1_000)
    await stage.give("ann", times=3)
    shard = stage.shard("ann")
    for _ in range(times):
        await forget_openings(stage.redis)
        dying: Any = DyingRedis(stage.redis, "gs_open", after=after)
        with pytest.raises(ConnectionResetError):
            await ShardOpener(dying, stage.pool, stage.settings).open(shard)
    (answer,) = await stage.give("ann")
    assert (answer.gift_id.epoch, answer.gift_id.number) == (1, 4)
    assert await stage.settle() == 4
    assert await stage.pool.fetchval("SELECT count(*) FROM incidents") == 0
    assert await stage.pool.fetchval("SELECT cardinality(announced) FROM shards WHERE shard = $1", shard) == 0
    assert (await stage.audit()).ok


async def test_many_openers_at_once_open_a_shard_once(stage: Stage) -> None:
    await stage.viewer("ann", 1_000)
    await stage.give("ann", times=3)
    await forget_openings(stage.redis)
    openers = [ShardOpener(stage.redis, stage.pool, stage.settings) for _ in range(5)]
    shard = stage.shard("ann")
    results = await asyncio.gather(*(opener.open(shard) for opener in openers), return_exceptions=True)
    assert {type(result) for result in results} <= {type(None), TimeoutError}
    (answer,) = await stage.give("ann")
    assert answer.gift_id.number == 4
    assert await stage.settle() == 4
    assert await stage.pool.fetchval("SELECT count(*) FROM incidents") == 0
