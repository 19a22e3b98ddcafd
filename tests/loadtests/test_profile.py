"""Sampled stacks are told by the project's own functions, and Valkey's counts by what came between two looks."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from loadtests.profile.__main__ import LOADS, asked
from loadtests.profile.stacks import LOOP, NoSamplesError, by_place, sample
from loadtests.profile.stores import spent

RAW = """\
<module> (server/__main__.py:107);worker (server/commands.py:48);run (uvloop/__init__.py:92) 7
run (uvloop/__init__.py:92);Lane.run (server/wallet/lane.py:85);Lane._fly (server/wallet/lane.py:115) 3
run (uvloop/__init__.py:92);Lane.run (server/wallet/lane.py:85);Lane._fly (server/wallet/lane.py:120) 2
run (uvloop/__init__.py:92);read (server/ledger/log.py:9);fetch (asyncpg/pool.py:745);run (asyncpg/x.py:9) 5
run (uvloop/__init__.py:92);RequestHandler.data_received (aiohttp/web_protocol.py:488) 4
"""


def test_each_sample_belongs_to_the_innermost_function_of_ours_or_to_who_was_called_instead():
    assert by_place(RAW) == {
        LOOP: 7,
        "`Lane._fly` (wallet/lane.py)": 5,
        "`read` (ledger/log.py)": 5,
        "aiohttp, called by the event loop": 4,
    }


def test_only_what_was_called_in_between_counts():
    before = {"get": (10, 100), "set": (5, 50)}
    assert spent(before, {"get": (10, 100), "set": (8, 60), "fcall": (1, 9)}) == {"set": (3, 10), "fcall": (1, 9)}


def test_what_cannot_be_looked_at_is_told_in_a_sentence():
    assert asked({"LOAD": "", "SECONDS": ""}) == (LOADS["gifts"], 8)
    assert asked({"LOAD": "room", "SECONDS": "20"}) == (LOADS["room"], 20)
    for wrong in ("x", "0", "-1", "1.5", "nan", "601", "²"):
        with pytest.raises(ValueError, match="SECONDS must be"):
            asked({"SECONDS": wrong})
    with pytest.raises(ValueError, match="LOAD must be one of gifts, room"):
        asked({"LOAD": "rooms"})


@pytest.mark.parametrize(("said", "told"), [("", "ended with 3 and said nothing"), ("one\\ntwo\\n\\n", "^two$")])
async def test_a_process_that_cannot_be_looked_into_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, told: str
):
    program = tmp_path / "py-spy"
    program.write_text(f"#!/bin/sh\nprintf '{said}' >&2\nexit 3\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(NoSamplesError, match=told):
        await sample(1, 1)
