"""An advisory service that could not be asked is never taken for one that knows of nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.advisories import verdict

CLEAN: dict[str, Any] = {"name": "clean", "version": "1", "vulns": []}
SKIPPED: dict[str, Any] = {"name": "gone", "skip_reason": "Dependency not found"}
FLAWED: dict[str, Any] = {"name": "flawed", "version": "2", "vulns": [{"id": "X-1", "fix_versions": ["3"]}]}


@pytest.mark.parametrize(
    ("packages", "code", "said"),
    [
        ([CLEAN], 0, "1 of 1 packages looked up, 0 flaws known"),
        ([CLEAN, SKIPPED], 2, "NOT AUDITED, the advisory service did not know or did not answer: gone"),
        ([SKIPPED, FLAWED], 1, "flawed 2: X-1, mended in 3"),
        ([], 2, "0 of 0 packages"),
    ],
)
def test_only_packages_that_were_looked_up_count_as_clean(packages: list[Any], code: int, said: str) -> None:
    got, lines = verdict({"dependencies": packages})
    assert got == code
    assert said in "\n".join(lines)
