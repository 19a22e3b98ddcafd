"""One room with members in this gateway: joins, passes over the members, gaps, and members that are far behind."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import structlog

from server.domain.errors import Code, Refusal
from server.rooms.asking import Answer, Asker
from server.rooms.fanout import TOO_SLOW, Pass, fan_out, piece_bytes_max, write
from server.rooms.feed import FRESH, Encode, Feed, Member, Position, Snapshot, take
from server.settings import Settings

log = structlog.get_logger()

JOIN_ATTEMPTS_MAX = 5
CATCH_UPS_MAX = 16
"""Members, over all rooms of a gateway, that are served from the rooms' logs at the same time."""

REPAIR_BACKOFF_MAX_S = 2.0


@dataclass(frozen=True, slots=True)
class HubRoomParts:
    """What the rooms of a hub share. on_viewers(room, count): to be told; on_ended(room): heard just now."""

    asker: Asker
    settings: Settings
    encode: Encode
    on_viewers: Callable[[str, int], None]
    on_ended: Callable[[str], None]
    spawn: Callable[[Coroutine[Any, Any, None]], None]
    catch_ups: asyncio.Semaphore


class HubRoom:
    """Holds a room's feed together; `run` serves it until cancelled."""

    def __init__(self, room_id: str, parts: HubRoomParts) -> None:
        self.feed = Feed(room_id)
        self.subscribed = asyncio.Event()
        self._parts = parts
        self._tick_s = parts.settings.tick_ms / 1000
        self._piece_bytes_max = piece_bytes_max(parts.settings)
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._asking = asyncio.Lock()
        """One question at a time: in a storm of joins the first answer serves the others."""
        self._snapshot: Snapshot | None = None
        self._joining = 0
        self._viewers_joining = 0
        self._onlookers: set[Member] = set()
        """Members that are no viewers, such as a creator's overlay."""
        self._catching_up: set[Member] = set()
        self._idle_since_s = self._loop.time()

    # Members

    async def join(self, member: Member, asked: Position | None, *, viewer: bool) -> bytes:
        """See Hub.join; waits for the subscription. Raises Refusal."""
        self._joining += 1
        self._viewers_joining += viewer
        try:
            await self.subscribed.wait()
            for _ in range(JOIN_ATTEMPTS_MAX):
                frames = await self._try_join(member, asked)
                if frames is not None:
                    if not viewer:
                        self._onlookers.add(member)
                    return frames
        finally:
            self._joining -= 1
            self._viewers_joining -= viewer
            self._members_changed()
        raise Refusal(Code.UNAVAILABLE)

    def leave(self, member: Member) -> None:
        if self.feed.members.pop(member, None) is not None:
            self._members_changed()

    def viewers(self) -> int:
        """How many members count as viewers."""
        self._onlookers = {member for member in self._onlookers if member in self.feed.members}
        return len(self.feed.members) - len(self._onlookers)

    def idle_for_s(self) -> float:
        """How long the room has been without members; 0 while it has some."""
        return 0.0 if self.feed.members or self._joining else self._loop.time() - self._idle_since_s

    def _members_changed(self) -> None:
        if not self.feed.members:
            self._idle_since_s = self._loop.time()
        self._parts.on_viewers(self.feed.room_id, self.viewers())

    async def _try_join(self, member: Member, asked: Position | None) -> bytes | None:
        """One attempt; None when the room moved on too fast or is being repaired, and it is worth another one."""
        feed = self.feed
        answer = await self._answer_for(asked)
        position = answer.snapshot.position
        if position.incarnation != feed.incarnation or position.n < feed.floor:
            self._snapshot = None
            self.look_again()
            await asyncio.sleep(self._tick_s)
            return None
        if member.transport.is_closing():
            raise Refusal(Code.UNAVAILABLE)
        joined = self._parts.encode(answer.snapshot.joined(feed.room_id, recovered=answer.recovered))
        place = asked.n if answer.recovered and asked is not None else position.n
        missed = b""
        if answer.recovered and answer.frames:
            missed, place = take(answer.frames, place, self._piece_bytes_max)
        elif feed.head > place:
            piece = feed.after(place, feed.head, self._piece_bytes_max)
            if piece is None:
                return None
            missed, place = piece
        feed.members[member] = place
        if place < feed.head:
            self._wake.set()
        return joined + missed

    async def _answer_for(self, asked: Position | None) -> Answer:
        """From memory where that is exact, else from Redis."""
        async with self._asking:
            held, feed = self._held_answer(asked), self.feed
            if held is not None:
                return held
            before = feed.position
            answer = await self._ask(asked)
            self._snapshot = answer.snapshot
            # A Redis that has less than was heard from it came back older: what was heard since then never was.
            if before is None or (
                before.incarnation == answer.snapshot.position.incarnation and answer.snapshot.position < before
            ):
                self._begin(answer)
            if asked is not None and answer.recovered and answer.frames:
                feed.fill(asked, answer.frames)
            return answer

    def _held_answer(self, asked: Position | None) -> Answer | None:
        """The last snapshot, if it is of this tick, and the ring holds all that must follow it and `asked`."""
        snapshot, feed = self._snapshot, self.feed
        if (
            snapshot is None
            or feed.state is None
            or snapshot.position.incarnation != feed.incarnation
            or snapshot.position.n < feed.floor
            or self._loop.time() - snapshot.taken_at_s >= self._tick_s
        ):
            return None
        if asked is None:
            return Answer(snapshot, feed.state, recovered=False, frames=None)
        here = asked.incarnation == feed.incarnation and asked.n <= snapshot.position.n <= feed.head
        return Answer(snapshot, feed.state, recovered=True, frames=None) if here and feed.holds(asked.n) else None

    async def _ask(self, since: Position | None) -> Answer:
        return await self._parts.asker.ask(self.feed.room_id, self.viewers() + self._viewers_joining, since)

    def _begin(self, answer: Answer) -> None:
        fresh = self._parts.encode(answer.snapshot.joined(self.feed.room_id, recovered=False))
        self.feed.start(answer.snapshot, answer.state, fresh)
        self._snapshot = answer.snapshot
        if answer.state == "ended":
            self._parts.on_ended(self.feed.room_id)
        self._wake.set()

    # Frames

    def hear(self, position: Position, kind: bytes, frame: bytes) -> None:
        """A frame was published."""
        self.feed.receive(position, kind, self._parts.encode(frame))
        if kind == b"e":
            self._parts.on_ended(self.feed.room_id)
        self._wake.set()

    def look_again(self) -> None:
        """There may be frames that were not heard: the room's log will tell."""
        if self.feed.incarnation is not None:
            self.feed.broken = True
            self._wake.set()

    async def run(self) -> None:
        """Repairs and writes, at most once a tick."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            began_s = self._loop.time()
            if self.feed.broken:
                await self._repair()
            self._after_pass(await fan_out(self.feed, self._parts.settings))
            await asyncio.sleep(max(0.0, began_s + self._tick_s - self._loop.time()))

    def _after_pass(self, done: Pass) -> None:
        for member in done.too_slow:
            member.cut_off(TOO_SLOW, "too slow")
        for member in done.lost:
            if member not in self._catching_up:
                self._catching_up.add(member)
                self._parts.spawn(self._catch_up(member))
        if done.too_slow or done.gone:
            self._members_changed()
        if done.slow or done.lost or self.feed.broken:
            self._wake.set()

    async def _repair(self) -> None:
        """Fills the gap from the room's log; a room that cannot say what is in the gap begins anew for its members."""
        backoff_s = self._tick_s
        while self.feed.broken:
            try:
                async with self._asking:
                    position = self.feed.position
                    answer = await self._ask(position)
                    if answer.recovered and position is not None and answer.frames is not None:
                        self.feed.fill(position, answer.frames)
                    else:
                        self._begin(answer)
            except Refusal as refusal:
                log.warning("a room could not be asked", room=self.feed.room_id, code=refusal.code)
                backoff_s = min(backoff_s * 2, REPAIR_BACKOFF_MAX_S)
                await asyncio.sleep(random.uniform(0, backoff_s))  # noqa: S311 - jitter

    async def _catch_up(self, member: Member) -> None:
        """Serves a member that fell behind what is at hand from the room's log, or cuts it off."""
        feed = self.feed
        try:
            async with self._parts.catch_ups:
                sent, generation = feed.members.get(member), feed.generation
                if sent is None or feed.incarnation is None:
                    return
                since = None if sent == FRESH else Position(feed.incarnation, sent)
                answer = await self._ask(since)
                if feed.generation == generation and feed.members.get(member) == sent:
                    self._serve_from_log(member, since, answer)
        except Refusal:
            log.warning("a slow member waits for its room's log", room=feed.room_id)
        finally:
            # Served or not, the next pass looks at it again.
            self._catching_up.discard(member)
            self._wake.set()

    def _serve_from_log(self, member: Member, since: Position | None, answer: Answer) -> None:
        feed = self.feed
        if since is None:
            data = self._parts.encode(answer.snapshot.joined(feed.room_id, recovered=False))
            place = answer.snapshot.position.n
        else:
            data, place = take(answer.frames or (), since.n, self._piece_bytes_max)
        if answer.snapshot.position.incarnation != feed.incarnation or not (answer.recovered or since is None):
            member.cut_off(TOO_SLOW, "too slow")
        elif write(member, data):
            feed.members[member] = place
            return
        self.leave(member)
