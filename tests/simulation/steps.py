"""The steps: what can happen next, how often, and how it is drawn from the seed."""

from __future__ import annotations

from collections import Counter

from server.domain.controls import Period
from server.domain.errors import Code
from tests.simulation.budgets import THRIFTY
from tests.simulation.fibers import DONE, Caller, Effect, Fiber, Outcome
from tests.simulation.rest import come_to_rest
from tests.simulation.world import ROOMS, VIEWERS, World

PARKED_MAX = 14
"""Tasks under way; past it nothing new is begun."""
ORDERS_MAX = 5
LIVE_ROOMS_MAX = 4
BLOCKED = 0.5
LIMITS = (20, 100, 300, 1_000, 10_000)
FREE_CALLS = (0, 0, 0, 0, 1, 2, 4, 10, 1000)

OUTCOMES = (
    (900, DONE),
    (20, Outcome(Effect.NEVER, Caller.LOST)),
    (30, Outcome(Effect.NOW, Caller.LOST)),
    (15, Outcome(Effect.LATER, Caller.LOST)),
)


class Steps:
    """Draws and takes steps. taken: how often each kind was."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.taken: Counter[str] = Counter()
        self._kinds = {
            "go_on": 1000,
            "send": 260,
            "grant": 30,
            "balance": 20,
            "room": 20,
            "open_room": 6,
            "end_room": 5,
            "tell_ends": 14,
            "like": 10,
            "block": 8,
            "limit": 8,
            "apply": 60,
            "settle": 70,
            "sweep": 14,
            "wallet_leaves": 15,
            "room_leaves": 4,
            "late_call": 40,
            "orphan_ends": 40,
            "connection_breaks": 8,
            "kill": 8,
            "copy": 12,
            "restart": 4,
            "older": 3,
            "fail_over": 4,
            "learn": 8,
            "wipe": 1,
            "flush": 1,
            "clock_back": 2,
            "time_passes": 2,
            "rest": 3,
        }

    async def take(self) -> None:
        """One step."""
        world = self._world
        world.clock.forward(world.rng.randint(1, 50_000))
        kinds = self._kinds
        if len(world.fibers.parked) >= PARKED_MAX:
            kinds = {kind: weight for kind, weight in kinds.items() if kind not in _BEGINNINGS}
        kind = world.rng.choices(list(kinds), list(kinds.values()))[0]
        self.taken[kind] += 1
        await getattr(self, f"_{kind}")()
        await world.fibers.quiet()

    async def finish(self) -> None:
        await self._rest()

    async def _go_on(self) -> None:
        world = self._world
        if not world.fibers.parked:
            return await self._send()
        fiber: Fiber = world.rng.choice(world.fibers.parked)
        outcome = world.rng.choices([o for _, o in OUTCOMES], [weight for weight, _ in OUTCOMES])[0]
        free_calls = world.rng.choice(FREE_CALLS)
        world.note(f"{fiber}: {outcome}" + (f", {free_calls} more calls" if free_calls else ""))
        world.fibers.resume(fiber, outcome, free_calls)
        return None

    # What clients do.

    async def _send(self) -> None:
        world, rng = self._world, self._world.rng
        gateway = rng.choice(world.gateways)
        for _ in range(rng.randint(1, ORDERS_MAX)):
            ask = rng.choice(world.book.open) if world.book.open and rng.random() < 0.4 else world.new_ask()
            # What the gateway finds; of a room that ended it need not have heard.
            ended = 400 if world.book.rooms[ask.room].ended else 4
            refusal = rng.choices([None, Code.NOT_JOINED, Code.ROOM_ENDED], [90, 6, ended])[0]
            for _ in range(rng.choice((1, 1, 1, 1, 2))):
                world.note(
                    f"{gateway.process.name} is sent {ask.id}: {ask.viewer} {ask.coins} coins, {refusal or 'fine'}"
                )
                gateway.send(ask, refusal, world.heard)

    async def _grant(self) -> None:
        world, rng = self._world, self._world.rng
        unsure = [grant for grant in world.book.grants if grant.number is None]
        grant = rng.choice(unsure) if unsure and rng.random() < 0.5 else world.new_grant()
        gateway = rng.choice(world.gateways)
        world.note(f"{gateway.process.name} is asked for {grant.reference}: {grant.coins} for {grant.viewer}")
        world.start(gateway, grant.reference, lambda: gateway.grant(grant), alone=True)

    async def _balance(self) -> None:
        world = self._world
        gateway, viewer = world.rng.choice(world.gateways), world.rng.choice(VIEWERS)
        world.start(gateway, f"balance-{viewer}", lambda: gateway.ask_balance(viewer))

    async def _room(self) -> None:
        world = self._world
        gateway, room = world.rng.choice(world.gateways), world.rng.choice(list(world.book.rooms))
        world.start(gateway, f"room-{room}", lambda: gateway.ask_room(room))

    async def _open_room(self) -> None:
        world = self._world
        gateway, creator = world.rng.choice(world.gateways), world.rng.choice(list(ROOMS.values()))
        if len(world.book.live_rooms()) < LIVE_ROOMS_MAX:
            world.note(f"{gateway.process.name} is asked for another room of {creator}")
            world.start(gateway, "open-room", lambda: gateway.open_room(creator, world.book))

    async def _end_room(self) -> None:
        world = self._world
        gateway, room = world.rng.choice(world.gateways), world.rng.choice(list(world.book.rooms))
        if len(world.book.live_rooms()) > 1 or world.book.rooms[room].ended:
            world.note(f"{gateway.process.name} is asked to end {room}")
            world.start(gateway, f"end-{room}", lambda: gateway.end_room(room, world.book), alone=True)

    async def _block(self) -> None:
        world, rng = self._world, self._world.rng
        gateway, viewer = rng.choice(world.gateways), rng.choice(VIEWERS)
        blocked = not world.book.blocked.get(viewer, False) and rng.random() < BLOCKED
        if viewer not in world.book.perhaps_blocked:
            world.note(f"{gateway.process.name} is asked to {'block' if blocked else 'free'} {viewer}")
            world.start(gateway, f"block-{viewer}", lambda: gateway.block(viewer, blocked, world.book))

    async def _limit(self) -> None:
        world, rng = self._world, self._world.rng
        gateway, viewer, period = rng.choice(world.gateways), rng.choice(THRIFTY), rng.choice(list(Period))
        coins = rng.choice(LIMITS)
        world.note(f"{gateway.process.name} is asked for a budget of {viewer}: {coins} a {period}")
        world.start(gateway, f"limit-{viewer}", lambda: gateway.limit(viewer, period, coins), alone=True)

    async def _like(self) -> None:
        world = self._world
        room = world.rng.choice(list(world.book.rooms))
        world.note(f"{room} is liked")
        world.valkeys.run(
            [
                (("FCALL", "gs_room_like", 1, f"{{r:{room}}}:room", "1"), {}),
                (("SADD", "giftstream:dirty", room), {}),
            ]
        )

    # What workers do.

    async def _apply(self) -> None:
        worker = self._world.rng.choice(self._world.workers)
        self._world.start(worker, "apply", worker.apply, alone=True)

    async def _settle(self) -> None:
        world = self._world
        worker, shard = world.rng.choice(world.workers), world.rng.randrange(world.shards)
        world.start(worker, f"settle-{shard}", lambda: worker.settle(shard), alone=True)

    async def _sweep(self) -> None:
        worker = self._world.rng.choice(self._world.workers)
        self._world.start(worker, "sweep", worker.sweep, alone=True)

    async def _tell_ends(self) -> None:
        worker = self._world.rng.choice(self._world.workers)
        self._world.start(worker, "tell-ends", worker.tell_ends, alone=True)

    # What happens by itself.

    async def _wallet_leaves(self) -> None:
        world = self._world
        if found := world.wallets_at_rest():
            key = world.rng.choice(found)
            world.note(f"{key.decode()} leaves")
            world.valkeys.client.delete(key)

    async def _room_leaves(self) -> None:
        world = self._world
        room = world.rng.choice(list(world.book.rooms))
        key = f"{{r:{room}}}:room"
        if incarnation := world.valkeys.client.hget(key, "incarnation"):
            world.note(f"{room} is unloaded")
            world.valkeys.run([(("FCALL", "gs_room_unload", 1, key, incarnation), {})])

    async def _late_call(self) -> None:
        world = self._world
        if world.network.late:
            label, arrive = world.network.late.pop(world.rng.randrange(len(world.network.late)))
            world.note(f"late: {label}")
            arrive()

    async def _orphan_ends(self) -> None:
        world = self._world
        if world.backends.orphans:
            orphan = world.rng.choice(world.backends.orphans)
            world.note(f"Postgres: {orphan.label}")
            await world.backends.end(orphan)

    async def _connection_breaks(self) -> None:
        world = self._world
        waiting = {statement.fiber.process for statement in world.fibers.waiting}
        found = [lent for lent in world.backends.lent if not lent.lost and lent.process not in waiting]
        if found:
            lent = world.rng.choice(found)
            world.note(f"Postgres ends a connection of {lent.process.name}")
            await lent.break_off()

    async def _kill(self) -> None:
        world = self._world
        victim = world.rng.choice([*world.gateways, *world.workers])
        world.note(f"{victim.process.name} dies")
        await world.kill(victim)

    # What happens to Redis.

    async def _copy(self) -> None:
        self._world.note("the data of Redis are copied")
        self._world.take_copy()

    async def _restart(self) -> None:
        self._world.note("Redis restarts")
        self._world.network.late.clear()
        self._world.valkeys.restart()

    async def _older(self) -> None:
        world = self._world
        if world.copies:
            past, copy = world.rng.choice(world.copies)
            world.note(f"Redis restarts from a copy (of past {past}, now {world.past})")

            def restart_from_copy() -> None:
                world.valkeys.put_back(copy)
                world.valkeys.restart()

            await world.replace(restart_from_copy, past)

    async def _fail_over(self) -> None:
        world = self._world
        past, copy, whole = world.past, world.valkeys.copy(), True
        lagging = [(held, older) for held, older in world.copies if held == world.past]
        if lagging and world.rng.random() < 0.6:
            (past, copy), whole = lagging[-1], False
        world.note(f"failover (to data of past {past}, now {world.past})")
        old_primary, all_open = world.valkeys.primary, world.valkeys.all_open(world.shards)
        await world.replace(lambda: world.valkeys.fail_over(copy, whole=whole), past)
        if all_open:  # else whoever missed it would open what the others have left
            world.leave_behind(old_primary)

    async def _learn(self) -> None:
        world = self._world
        if lost := [of.process for of in (*world.gateways, *world.workers) if of.process.old_primary is not None]:
            process = world.rng.choice(lost)
            world.note(f"{process.name} learns who is the primary")
            process.old_primary = None

    async def _wipe(self) -> None:
        self._world.note("Redis restarts empty")
        await self._world.replace(lambda: self._world.valkeys.wipe(functions=True), None)

    async def _flush(self) -> None:
        self._world.note("Redis is flushed")
        await self._world.replace(lambda: self._world.valkeys.wipe(functions=False), None)

    # Time.

    async def _clock_back(self) -> None:
        self._world.note("the clock is set back by an hour")
        self._world.clock.back(3_600_000_000)

    async def _time_passes(self) -> None:
        world = self._world
        if any(fiber.process.name.startswith("g") for fiber in world.fibers.parked) or world.network.late:
            return  # nothing stays on its way for as long as answers are remembered
        minutes = world.rng.choice((3, 8, 11, 25))
        world.note(f"{minutes} minutes pass")
        world.clock.forward(minutes * 60_000_000)
        world.book.close_older(world.clock.elapsed_us, world.settings.dedupe_s * 1_000_000)
        world.expire()

    async def _rest(self) -> None:
        self._world.note("everything comes to rest")
        await come_to_rest(self._world)


_BEGINNINGS = {
    "send", "grant", "balance", "room", "open_room", "end_room", "block", "limit", "apply", "settle", "sweep",
    "tell_ends",
}  # fmt: skip
