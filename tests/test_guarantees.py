"""What the documents name as the proof of a promise is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.chaos.plan import KINDS

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("document", ["guarantees.md", "security.md", "simulation.md"])
def test_every_file_that_a_document_names_is_there(document: str) -> None:
    named = set(re.findall(r"`((?:tests|server)/[\w/.]+)`", (ROOT / "docs" / document).read_text()))
    assert named
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_every_line_of_a_guarantee_is_shown_by_a_test_or_a_kind_of_chaos_and_no_kind_is_left_out() -> None:
    text = (ROOT / "docs" / "guarantees.md").read_text()
    shown: set[str] = set()
    for title in ("| Redis is configured |", "| what happens |"):
        table = (title + text.partition(title)[2]).partition("\n\n")[0]
        for row in table.splitlines()[2:]:
            proof = row.strip("| ").rpartition(" | ")[2]
            found = set(re.findall(r"`(tests/[\w/.]+)`", proof)) | {kind for kind in KINDS if f"`{kind}`" in proof}
            assert found or proof == "not prevented", row
            shown |= found
    assert set(KINDS) <= shown
