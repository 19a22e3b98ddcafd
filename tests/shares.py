"""Which tests run in one process when several run them: those that share a server or a browser, started once."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

TOGETHER = ("tests/browser/", "tests/loadtests/", "tests/test_beside_serve.py")
"""Folders and files."""


class Shares(LoadScopeScheduling):
    """Each test goes to whoever is free; what belongs together goes at once."""

    def _split_scope(self, nodeid: str) -> str:
        return next((place for place in TOGETHER if nodeid.startswith(place)), nodeid)
