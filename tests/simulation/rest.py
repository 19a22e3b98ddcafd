"""Coming to rest: no more faults, everything under way ends, clients ask until they know, and the verdict."""

from __future__ import annotations

import dataclasses

from server.ledger.audit import audit
from tests.simulation.book import Ask
from tests.simulation.fibers import DONE
from tests.simulation.finding import Finding, expect
from tests.simulation.verdict import Verdict
from tests.simulation.world import VIEWERS, World

ROUNDS_MAX = 40
CALLS_MAX = 20_000
ASKED_AT_ONCE = 100
KILL_FIRST = 0.4
"""How often everybody dies first; else everybody finishes."""


async def come_to_rest(world: World) -> None:
    """Returns when all is settled and every promise was found kept. Raises Finding."""
    world.calm = True
    world.all_learn()
    for ask in world.book.open:
        ask.barred = False
    if world.rng.random() < KILL_FIRST:
        for victim in [*world.gateways, *world.workers]:
            await world.kill(victim)
    for label, arrive in world.network.late:
        world.note(f"late: {label}")
        arrive()
    world.network.late.clear()
    await _finish(world)
    for _ in range(ROUNDS_MAX):
        if not await _round(world):
            break
    else:
        unknown = [ask.id for ask in _unknown(world)]
        unsure = [grant.reference for grant in world.book.grants if grant.number is None]
        raise Finding(f"it does not come to rest: {_why(world)}; unknown are {unknown[:5]}, {unsure[:5]}")
    world.expect_none_found()
    await Verdict(world.conn, world.valkeys, world.book, world.shards).reach(world.replaced, world.price_gone)
    url = world.valkey_urls[world.valkeys.primary]
    report = await audit(dataclasses.replace(world.settings, redis_url=url))
    broken = [f"{check.name}: {check.detail}" for check in report.checks if not check.ok]
    expect(not broken, f"audit: {broken}")
    world.calm = False


async def _finish(world: World) -> None:
    """Everything under way goes on to its end, one after the other."""
    for _ in range(CALLS_MAX):
        world.expect_none_found()
        await world.fibers.quiet()
        if world.backends.orphans:
            await world.backends.end(world.backends.orphans[0])
        elif world.fibers.parked:
            fiber = world.fibers.parked[0]
            world.fibers.resume(fiber, DONE, 50)
        elif world.fibers.waiting:
            raise Finding("something waits for a lock that nobody holds")
        else:
            return
    raise Finding("something goes round and round")


async def _round(world: World) -> bool:
    """Everybody does all there is to do; True if there was anything."""
    gateway, worker = world.gateways[0], world.workers[0]
    unknown = _unknown(world)
    for ask in unknown[:ASKED_AT_ONCE]:
        gateway.send(ask, None, world.heard)
    unsure = [grant for grant in world.book.grants if grant.number is None]
    for grant in unsure:
        world.start(gateway, grant.reference, lambda grant=grant: gateway.grant(grant))
    await _finish(world)
    for each in world.workers:
        world.start(each, "sweep", each.sweep)
        world.start(each, "tell-ends", each.tell_ends)
        world.start(each, "apply", each.apply)
        await _finish(world)
    for shard in range(world.shards):
        world.start(worker, f"settle-{shard}", lambda shard=shard: worker.settle_all(shard))
    for room in world.book.rooms:
        world.start(gateway, f"room-{room}", lambda room=room: gateway.ask_room(room))
    for viewer in VIEWERS:
        world.start(gateway, f"balance-{viewer}", lambda viewer=viewer: gateway.ask_balance(viewer))
    await _finish(world)
    return bool(unknown or unsure or _why(world))


def _unknown(world: World) -> list[Ask]:
    return [ask for ask in world.book.open if ask.told is None and not ask.barred]


def _why(world: World) -> str:
    """What is still to be done, as the marks in Redis say."""
    redis = world.valkeys.client
    places = []
    for shard in range(world.shards):
        epoch, number, settled, applied = redis.hmget(
            f"{{w{shard:02d}}}:shard", "epoch", "number", "settled", "applied"
        )
        if epoch is None or not number == settled == applied:
            places.append(f"shard {shard}: {epoch}-{number}, settled {settled}, applied {applied}")
    waiting = [f"{each.process.name} {doing}" for each in world.workers if (doing := each.doing())]
    rooms = [room for room in world.book.rooms if redis.hget(f"{{r:{room}}}:room", "caught_up") != b"1"]
    return ", ".join([*places, *waiting, *rooms])
