"""A run counts only when nothing was lost on the way."""

from __future__ import annotations

from loadtests.bench.bench_run import BenchRun
from loadtests.client.tally import Tally


class UncleanRunError(Exception):
    """Gifts were lost, refused for good, or seen wrongly on some screen: the figures would be of something else."""


def check(run: BenchRun, tally: Tally) -> None:
    """Raise UncleanRunError when the run does not count; say what was only refused for a while."""
    wrong = tally.rooms_seen_wrong
    if tally.unanswered or tally.nacks or tally.lost_connections or wrong:
        raise UncleanRunError(
            f"{tally.unanswered} unanswered, refused {dict(tally.nacks)}, asked again {dict(tally.asked_again)}, "
            f"{tally.lost_connections} connections lost, rooms whose screens are wrong: {wrong[:5]}"
        )
    if tally.asked_again:
        run.say(f"  refused for a while and sent again: {dict(tally.asked_again)} of {tally.sent}")
