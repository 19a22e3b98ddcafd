"""What all users of one Locust process share: the profile, the cast, the clock, and whether it is over."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from loadtests.swarm.profiles import PROFILES


class Play:
    """One run of the load test. counts: what is printed at the end besides Locust's own rows."""

    def __init__(self) -> None:
        self.folder = Path(os.environ["LOADTEST_FOLDER"])
        self.profile = PROFILES[os.environ["LOADTEST_PROFILE"]]
        self.users = int(os.environ["LOADTEST_USERS"])
        self.processes = int(os.environ["LOADTEST_PROCESSES"])
        self.seconds = float(os.environ["LOADTEST_SECONDS"])
        cast = json.loads((self.folder / "cast.json").read_text())
        self.givers: list[dict[str, str]] = cast["givers"]
        self.watchers: list[dict[str, str]] = cast["watchers"]
        self.rooms: list[str] = cast["rooms"]
        self.coins: int = min(giver["coins"] for giver in cast["givers"])
        self.counts = {"deltas": 0, "delta_bytes": 0, "resumed": 0, "fresh": 0}
        self.over = False
        self._began_s = time.monotonic()

    def begin(self) -> None:
        """The test starts now."""
        self._began_s = time.monotonic()

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._began_s

    @property
    def pace(self) -> float:
        """How eager gifters are now."""
        return self.profile.pace(self.elapsed_s)


play = Play()
