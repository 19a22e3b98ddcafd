"""What each call of the economy answers, so that the API document can be compared with it.

Each feature has a module here with one function `calls(people)`; tests/web/test_documents.py finds it by itself.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from typing import Any

Attempt = tuple[str | None, Any, int]
"""A token, a body (None: none) and the status that it is answered with."""

Calls = dict[tuple[str, str], tuple[str, None, list[Attempt]]]
"""(method, path of the document) → path to call, nothing, attempts in their order."""


@dataclass(frozen=True)
class People:
    """Tokens of those who try, and a live room of the creator's. The viewer came in by the demo's login."""

    viewer: str
    creator: str
    admin: str
    room: str


def economy_calls(people: People) -> Calls:
    """All features' calls."""
    found: Calls = {}
    for module in sorted(module.name for module in pkgutil.iter_modules(__path__)):
        found |= importlib.import_module(f"{__name__}.{module}").calls(people)
    return found
