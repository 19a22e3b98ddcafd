"""What the README says is what the code has."""

import re
from pathlib import Path

from server.settings import markdown_table

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_the_settings_table_is_the_one_of_the_code() -> None:
    """`python -m server.settings` prints it anew."""
    assert markdown_table().strip() in README


def test_every_linked_file_is_there() -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_every_make_verb_that_is_named_exists() -> None:
    verbs = set(re.findall(r"(?:`|    )make ([a-z]+)", README))
    makefile = (ROOT / "Makefile").read_text()
    assert {verb for verb in verbs if f"\n{verb}:" not in makefile} == set()
