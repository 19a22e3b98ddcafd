"""Rooms to screens: one subscription for each room with members here, and one write per member and tick.

A frame arrives finished; the hub reads only the header before it (`<kind> <position> `). The first frame after a quiet
tick goes out at once, what follows within the tick goes together. Wherever a frame may be missing (a jump in positions,
a new subscription), the room's log is asked; when the log cannot say either, members begin anew with a fresh `joined`.
"""

import asyncio
import random
from typing import Any, NamedTuple

import structlog
from redis.asyncio import Redis

from server.domain.errors import Code, Refusal
from server.rooms.fanout import TOO_SLOW, Pass, fan_out, piece_bytes_max, write
from server.rooms.feed import FRESH, Encode, Feed, Frame, Member, Position, Snapshot, take
from server.rooms.listener import Listener
from server.rooms.presence import EXPIRY_S, Presence
from server.rooms.rooms import Rooms
from server.settings import Settings
from server.stores import keys
from server.stores.failures import REDIS_AWAY

log = structlog.get_logger()

JOIN_TIMEOUT_S = 4.0
JOIN_ATTEMPTS_MAX = 5
LINGER_S = 5.0
"""How long a room stays subscribed after its last member left."""

CATCH_UPS_MAX = 16
"""Slow members that are served from the rooms' logs at the same time."""

REPAIR_BACKOFF_MAX_S = 2.0


class Answer(NamedTuple):
    """A room as Redis tells it: now, and what followed the position asked about, if all of that is there.

    frames: None when the feed's ring holds them.
    """

    snapshot: Snapshot
    state: str
    recovered: bool
    frames: list[Frame] | None


class _Room:
    """One room that is listened to here."""

    def __init__(self, room_id: str) -> None:
        self.feed = Feed(room_id)
        self.channel = keys.room_channel(room_id).encode()
        self.subscribed = asyncio.Event()
        self.wake = asyncio.Event()
        self.asking = asyncio.Lock()
        """One question at a time: in a storm of joins the first answer serves the others."""
        self.snapshot: Snapshot | None = None
        self.joining = 0
        self.viewers_joining = 0
        self.onlookers: set[Member] = set()
        """Members that are no viewers, such as a creator's overlay."""
        self.catching_up: set[Member] = set()
        self.idle_since_s = 0.0
        self.task: asyncio.Task[None] | None = None

    def viewers(self) -> int:
        """How many members count as viewers."""
        self.onlookers = {member for member in self.onlookers if member in self.feed.members}
        return len(self.feed.members) - len(self.onlookers)


class Hub:
    """All rooms that have members in this gateway.

    rooms: loads rooms that are not in Redis. encode: makes a socket's text frame of a payload.
    """

    def __init__(self, redis: Redis, rooms: Rooms, settings: Settings, gateway_id: str, *, encode: Encode) -> None:
        self._redis = redis
        self._rooms = rooms
        self._settings = settings
        self._gateway_id = gateway_id
        self._encode = encode
        self._tick_s = settings.tick_ms / 1000
        self._piece_bytes_max = piece_bytes_max(settings)
        self._loop = asyncio.get_running_loop()
        self._open: dict[bytes, _Room] = {}
        self._catch_ups = asyncio.Semaphore(CATCH_UPS_MAX)
        self._group: asyncio.TaskGroup | None = None
        self._presence = Presence(redis, settings, gateway_id, self._on_position)
        self._listener = Listener(
            redis, gateway_id, on_message=self._on_message, on_subscribed=self._on_subscribed, on_lost=self._on_lost
        )

    async def run(self) -> None:
        """Serves rooms until cancelled; then tells the rooms that this gateway's members are gone."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listener.run())
                group.create_task(self._presence.run())
                self._group = group
                try:
                    await self._close_idle_rooms()
                finally:
                    self._group = None
        finally:
            await self._presence.farewell()

    def healthy(self) -> bool:
        """Whether the gateway hears what is published: it heard itself lately."""
        return self._listener.healthy()

    def state(self, room_id: str) -> str | None:
        """`live` or `ended`, known at once for rooms with members here; None for others."""
        room = self._open.get(keys.room_channel(room_id).encode())
        return room.feed.state if room else None

    def members(self) -> int:
        """Members of all rooms here (for the metrics)."""
        return sum(len(room.feed.members) for room in self._open.values())

    async def join(self, member: Member, room_id: str, since: str | None = None, *, viewer: bool = True) -> bytes:
        """Makes the member one of the room's and answers its first socket frames: `joined`, then what it missed.

        The caller writes them at once, before anything else is awaited: what follows them comes with the next tick.
        A member that joins again begins anew. viewer: whether it counts as one.
        Raises Refusal (room_not_found, unavailable).
        """
        asked = Position.parse(since) if since else None
        await self._rooms.info(room_id)
        try:
            async with asyncio.timeout(JOIN_TIMEOUT_S):
                room = await self._listen_to(room_id)
                room.joining += 1
                room.viewers_joining += viewer
                try:
                    await room.subscribed.wait()
                    for _ in range(JOIN_ATTEMPTS_MAX):
                        frames = await self._try_join(room, member, asked)
                        if frames is not None:
                            if not viewer:
                                room.onlookers.add(member)
                            return frames
                finally:
                    room.joining -= 1
                    room.viewers_joining -= viewer
                    self._tell_members(room)
        except TimeoutError as error:
            raise Refusal(Code.UNAVAILABLE) from error
        raise Refusal(Code.UNAVAILABLE)

    def leave(self, member: Member, room_id: str) -> None:
        """The member gets nothing more of the room. Leaving a room that was not joined changes nothing."""
        room = self._open.get(keys.room_channel(room_id).encode())
        if room is not None and room.feed.members.pop(member, None) is not None:
            self._tell_members(room)

    # Joining

    async def _listen_to(self, room_id: str) -> _Room:
        channel = keys.room_channel(room_id).encode()
        room = self._open.get(channel)
        if room is None:
            if self._group is None:
                raise Refusal(Code.UNAVAILABLE)
            room = self._open[channel] = _Room(room_id)
            room.idle_since_s = self._loop.time()
            room.task = self._group.create_task(self._serve(room), name=f"room-{room_id}")
            await self._listener.subscribe(channel)
        return room

    async def _try_join(self, room: _Room, member: Member, asked: Position | None) -> bytes | None:
        """One attempt; None when the room moved on too fast or is being repaired, and it is worth another one."""
        feed = room.feed
        answer = await self._answer_for(room, asked)
        snapshot = answer.snapshot
        if (
            feed.position is None
            or snapshot.position.incarnation != feed.incarnation
            or snapshot.position.n < feed.floor
        ):
            room.snapshot = None
            self._look_again(room)
            await asyncio.sleep(self._tick_s)
            return None
        if member.transport.is_closing():
            raise Refusal(Code.UNAVAILABLE)
        first = self._encode(snapshot.joined(feed.room_id, recovered=answer.recovered))
        place = snapshot.position.n
        rest = b""
        if answer.recovered and asked is not None:
            place = asked.n
        if answer.recovered and answer.frames:
            rest, place = take(answer.frames, place, self._piece_bytes_max)
        elif feed.head > place:
            piece = feed.after(place, feed.head, self._piece_bytes_max)
            if piece is None:
                return None
            rest, place = piece
        feed.members[member] = place
        if place < feed.head:
            room.wake.set()
        return first + rest

    async def _answer_for(self, room: _Room, asked: Position | None) -> Answer:
        """From memory where that is exact, else from Redis."""
        async with room.asking:
            feed = room.feed
            held = room.snapshot
            if (
                held is not None
                and feed.state is not None
                and held.position.incarnation == feed.incarnation
                and held.position.n >= feed.floor
                and self._loop.time() - held.taken_at_s < self._tick_s
            ):
                if asked is None:
                    return Answer(held, feed.state, recovered=False, frames=None)
                if (
                    asked.incarnation == feed.incarnation
                    and asked.n <= held.position.n <= feed.head
                    and feed.holds(asked.n)
                ):
                    return Answer(held, feed.state, recovered=True, frames=None)
            answer = await self._ask(room, asked)
            room.snapshot = answer.snapshot
            if feed.incarnation is None:
                self._begin(room, answer)
            if asked is not None and answer.recovered and answer.frames:
                feed.fill(asked, answer.frames)
            return answer

    async def _ask(self, room: _Room, since: Position | None) -> Answer:
        """Asks Redis, which also learns the member count. Raises Refusal."""
        feed = room.feed
        for _ in range(2):
            viewers = str(room.viewers() + room.viewers_joining)
            try:
                row = await self._redis.fcall(
                    "gs_room_join",
                    1,
                    keys.room(feed.room_id),
                    self._gateway_id,
                    viewers,
                    str(EXPIRY_S),
                    str(since or ""),
                )
                if row and row[3] == b"1":
                    await self._redis.sadd(keys.DIRTY_ROOMS, feed.room_id)
            except REDIS_AWAY as error:
                raise Refusal(Code.UNAVAILABLE) from error
            if row:
                return self._read(row)
            await self._rooms.load(feed.room_id)
        raise Refusal(Code.UNAVAILABLE)

    def _read(self, row: list[Any]) -> Answer:
        position = Position.parse(row[0].decode())
        assert position is not None
        frames = [
            Frame(int(entry_id.partition(b"-")[2]), kind, self._encode(frame))
            for entry_id, (_, kind, _, frame) in row[5]
        ]
        return Answer(Snapshot(position, row[2], self._loop.time()), row[1].decode(), row[4] == b"1", frames)

    def _begin(self, room: _Room, answer: Answer) -> None:
        fresh = self._encode(answer.snapshot.joined(room.feed.room_id, recovered=False))
        room.feed.start(answer.snapshot, answer.state, fresh)
        room.snapshot = answer.snapshot
        if answer.state == "ended":
            self._rooms.note_ended(room.feed.room_id)
        room.wake.set()

    # Listening

    def _on_message(self, channel: bytes, payload: bytes) -> None:
        room = self._open.get(channel)
        if room is None:
            return
        kind, _, rest = payload.partition(b" ")
        position_text, _, frame = rest.partition(b" ")
        position = Position.parse(position_text.decode("ascii", "replace"))
        if position is not None:
            room.feed.receive(position, kind, self._encode(frame))
            if kind == b"e":
                self._rooms.note_ended(room.feed.room_id)
            room.wake.set()

    def _on_subscribed(self, channel: bytes) -> None:
        room = self._open.get(channel)
        if room is not None:
            room.subscribed.set()
            self._look_again(room)

    def _on_lost(self) -> None:
        for room in self._open.values():
            room.subscribed.clear()

    def _on_position(self, room_id: str, position_text: str | None) -> None:
        """What a heartbeat learnt: the room may have gone on, or be gone, without our hearing of it."""
        room = self._open.get(keys.room_channel(room_id).encode())
        if room is None or room.feed.position is None:
            return
        position = Position.parse(position_text) if position_text else None
        if position is None or position.incarnation != room.feed.incarnation or position.n > room.feed.head:
            self._look_again(room)

    def _look_again(self, room: _Room) -> None:
        """There may be frames that we have not heard: the room's log will tell."""
        if room.feed.incarnation is not None:
            room.feed.broken = True
            room.wake.set()

    # Serving

    async def _serve(self, room: _Room) -> None:
        """Repairs and writes, at most once a tick."""
        while True:
            await room.wake.wait()
            room.wake.clear()
            began_s = self._loop.time()
            if room.feed.broken:
                await self._repair(room)
            self._after_pass(room, await fan_out(room.feed, self._settings))
            await asyncio.sleep(max(0.0, began_s + self._tick_s - self._loop.time()))

    def _after_pass(self, room: _Room, done: Pass) -> None:
        for member in done.too_slow:
            member.cut_off(TOO_SLOW, "too slow")
        for member in done.lost:
            if member not in room.catching_up and self._group is not None:
                room.catching_up.add(member)
                self._group.create_task(self._catch_up(room, member))
        if done.too_slow or done.gone:
            self._tell_members(room)
        if done.slow or done.lost or room.feed.broken:
            room.wake.set()

    async def _repair(self, room: _Room) -> None:
        """Fills the gap from the room's log; a room that cannot say what is in the gap begins anew for its members."""
        backoff_s = self._tick_s
        while room.feed.broken:
            try:
                async with room.asking:
                    position = room.feed.position
                    answer = await self._ask(room, position)
                    if answer.recovered and position is not None and answer.frames is not None:
                        room.feed.fill(position, answer.frames)
                    else:
                        self._begin(room, answer)
            except Refusal as refusal:
                log.warning("a room could not be asked", room=room.feed.room_id, code=refusal.code)
                backoff_s = min(backoff_s * 2, REPAIR_BACKOFF_MAX_S)
                await asyncio.sleep(random.uniform(0, backoff_s))  # noqa: S311 - jitter

    async def _catch_up(self, room: _Room, member: Member) -> None:
        """Serves a slow member that fell behind what is at hand from the room's log, or cuts it off."""
        try:
            async with self._catch_ups:
                feed, sent, generation = room.feed, room.feed.members.get(member), room.feed.generation
                if sent is None or feed.incarnation is None:
                    return
                since = None if sent == FRESH else Position(feed.incarnation, sent)
                answer = await self._ask(room, since)
                if feed.generation != generation or feed.members.get(member) != sent:
                    return
                self._serve_from_log(room, member, since, answer)
        except Refusal:
            # Its place is kept: the next pass finds it behind again.
            room.wake.set()
        finally:
            room.catching_up.discard(member)

    def _serve_from_log(self, room: _Room, member: Member, since: Position | None, answer: Answer) -> None:
        feed = room.feed
        if since is None:
            data = self._encode(answer.snapshot.joined(feed.room_id, recovered=False))
            place = answer.snapshot.position.n
        else:
            data, place = take(answer.frames or (), since.n, self._piece_bytes_max)
        if answer.snapshot.position.incarnation != feed.incarnation or not (answer.recovered or since is None):
            member.cut_off(TOO_SLOW, "too slow")
        elif write(member, data):
            feed.members[member] = place
            room.wake.set()
            return
        feed.members.pop(member, None)
        self._tell_members(room)

    # Rooms without members

    def _tell_members(self, room: _Room) -> None:
        if not room.feed.members:
            room.idle_since_s = self._loop.time()
        self._presence.set(room.feed.room_id, room.viewers())

    async def _close_idle_rooms(self) -> None:
        while True:
            await asyncio.sleep(LINGER_S / 5)
            for channel, room in list(self._open.items()):
                idle = not room.feed.members and not room.joining
                if idle and self._loop.time() - room.idle_since_s > LINGER_S:
                    del self._open[channel]
                    if room.task is not None:
                        room.task.cancel()
                    await self._listener.unsubscribe(channel)
