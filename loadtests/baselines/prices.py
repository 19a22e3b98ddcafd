"""Prices, from the project's own catalogue."""

from __future__ import annotations

import json
from pathlib import Path

import server.domain

PRICES: dict[str, int] = {
    kind["id"]: kind["coins"] for kind in json.loads((Path(server.domain.__path__[0]) / "catalogue.json").read_text())
}
