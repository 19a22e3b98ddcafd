"""A room as one client sees it, checked frame by frame: totals go on exactly, no position names two deltas."""

from __future__ import annotations

from typing import Any

from tests.chaos.findings import Findings


class FrameBook:
    """All frames that any client saw, by room and position: one position, one delta."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._frames: dict[tuple[str, str], int] = {}
        self.seen = 0

    def enter(self, room: str, position: str, text: str) -> None:
        self.seen += 1
        before = self._frames.setdefault((room, position), hash(text))
        if before != hash(text):
            self._findings.add(f"position {position} of {room} names two different deltas")


class RoomView:
    """What one viewer's screen shows of one room, over all of the viewer's connections of one tab."""

    def __init__(self, who: str, room: str, frames: FrameBook, findings: Findings) -> None:
        self.room = room
        self.position: str | None = None
        """Of the last frame taken in: what `since` says after a reconnection."""
        self.diamonds = 0
        self.gifts = 0
        self.ended = False
        self.recovered = 0
        self.began_anew = 0
        self.may_go_back = False
        """Redis lost gifts: the next snapshot may show less than the screen does."""
        self._who = who
        self._frames = frames
        self._findings = findings
        self._seen: set[str] = set()
        self._target: tuple[str, int, int] | None = None

    def joined(self, frame: dict[str, Any], since: str | None) -> None:
        """A `joined` frame: the answer to `join`, or sent by the server where it could not go on."""
        diamonds, gifts, position = frame["diamonds"], frame["gifts"], frame["position"]
        where = f"{self._who} in {self.room}"
        if frame["recovered"]:
            if since is None:
                self._findings.add(f"{where}: recovered without having asked for it")
            if (diamonds, gifts) < (self.diamonds, self.gifts):
                self._findings.add(f"{where}: recovered to {gifts} gifts, the screen showed {self.gifts}")
            self.recovered += 1
            if position == self.position:
                self._compare("the snapshot at the screen's own position", diamonds, gifts)
            else:
                self._target = (position, diamonds, gifts)
            return
        if (diamonds < self.diamonds or gifts < self.gifts) and not self.may_go_back:
            self._findings.add(
                f"{where}: began anew with {gifts} gifts and {diamonds} diamonds at {position},"
                f" the screen showed {self.gifts} and {self.diamonds} at {self.position}"
            )
        if self.position is not None:
            self.began_anew += 1
        self.position, self.diamonds, self.gifts, self._target = position, diamonds, gifts, None

    def delta(self, frame: dict[str, Any], text: str) -> None:
        """A delta: what it adds has to be exactly what its totals go up by."""
        position = frame["position"]
        where = f"{self._who} in {self.room} at {position}"
        self._frames.enter(self.room, position, text)
        if position in self._seen:
            self._findings.add(f"{where}: the same delta twice")
        self._seen.add(position)
        added = sum(entry["count"] for entry in frame.get("gifts", ())) + frame.get("more", {}).get("count", 0)
        gifts, diamonds = frame.get("gifts_total", self.gifts), frame.get("diamonds", self.diamonds)
        if gifts != self.gifts + added:
            self._findings.add(f"{where}: {self.gifts} gifts and {added} more make {gifts}; before it {self.position}")
        if diamonds < self.diamonds:
            self._findings.add(f"{where}: diamonds went back from {self.diamonds} to {diamonds}")
        self.position, self.gifts, self.diamonds = position, gifts, diamonds
        if self._target is not None and self._target[0] == position:
            self._compare("the recovered snapshot", self._target[1], self._target[2])
            self._target = None

    def end(self, frame: dict[str, Any]) -> None:
        """A `room_ended` frame."""
        self.ended = True
        self.position = frame.get("position", self.position)

    def _compare(self, what: str, diamonds: int, gifts: int) -> None:
        if (diamonds, gifts) != (self.diamonds, self.gifts):
            self._findings.add(
                f"{self._who} in {self.room}: {what} says {gifts} gifts and {diamonds} diamonds,"
                f" the deltas make {self.gifts} and {self.diamonds}"
            )
