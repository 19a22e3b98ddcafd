"""The users of a load test, for Locust. ``make loadtest`` prepares their accounts and starts it: see loadtests.run.

Rows of the report: what a person waits for; the rows of the probes are those that show a stall.
"""

from __future__ import annotations

import functools
from typing import Any

from locust import LoadTestShape, argument_parser, events, runners
from locust.env import Environment

from loadtests.swarm.people import Chatter, Gifter, Viewer
from loadtests.swarm.play import play
from loadtests.swarm.probe import PROBES, Probe
from loadtests.swarm.record import write_records

__all__ = ["Chatter", "Gifter", "Probe", "Viewer"]

# A generator that is busy is not gone: the default of three seconds would end the test at its most interesting moment.
runners.HEARTBEAT_LIVENESS = 30

# A worker asks for the default options some eighty times for each order to spawn, and each time a parser is built anew.
argument_parser.default_args_dict = functools.cache(argument_parser.default_args_dict)


if len(play.profile.stages) > 1:

    class Shape(LoadTestShape):
        """The profile's stages, as Locust asks for them."""

        def tick(self) -> tuple[int, float] | None:
            stage = play.profile.stage(self.get_run_time())
            if stage is None or self.get_run_time() >= play.seconds:
                return None
            return max(PROBES, round(play.users * stage.users_share)), play.users / play.profile.ramp_s


@events.test_start.add_listener
def on_test_start(**_: Any) -> None:
    play.begin()


@events.quitting.add_listener
def on_quitting(environment: Environment, **_: Any) -> None:
    """Whoever is still under way gives nothing more from here on; what is known of them is complete."""
    play.over = True
    if not isinstance(environment.runner, runners.MasterRunner):
        write_records(play.folder, play.counts)
