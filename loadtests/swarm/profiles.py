"""What a load test plays: how many users at which time, how eager they are, and when connections break."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of time. users_share: of all users; pace: how many times as many gifts as usual."""

    until_s: float
    users_share: float
    pace: float = 1.0


@dataclass(frozen=True, slots=True)
class Profile:
    """ramp_s: how long the users take to arrive in the first stage. storms_at_s: when everybody's connection breaks."""

    name: str
    stages: tuple[Stage, ...]
    ramp_s: float
    storms_at_s: tuple[float, ...] = ()

    @property
    def seconds(self) -> float:
        return self.stages[-1].until_s

    def stage(self, at_s: float) -> Stage | None:
        """The stage at a time since the start; None once it is over."""
        return next((stage for stage in self.stages if at_s < stage.until_s), None)

    def pace(self, at_s: float) -> float:
        """How eager gifters are at a time since the start."""
        stage = self.stage(at_s)
        return stage.pace if stage else 1.0


PROFILES = {
    profile.name: profile
    for profile in (
        Profile("steady", (Stage(90, 1.0),), ramp_s=30),
        # A battle: half of the viewers come for it, and its last ten seconds are why.
        Profile("battle", (Stage(40, 0.5), Stage(60, 1.0, 1.5), Stage(70, 1.0, 6.0), Stage(90, 0.7, 0.5)), ramp_s=20),
        # Twice a gateway's worth of people loses its connection at once and comes back.
        Profile("storm", (Stage(90, 1.0),), ramp_s=30, storms_at_s=(45.0, 65.0)),
        Profile("soak", (Stage(1800, 1.0),), ramp_s=60),
    )
}
