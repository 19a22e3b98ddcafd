"""What the users of one Locust process were told about their gifts, kept for the check at the end."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Sent:
    """One giver's gifts. acked: request id → gift id; open: request id → [room, gift, count], not answered yet."""

    user: str
    acked: dict[str, str] = field(default_factory=dict)
    open: dict[str, tuple[str, str, int]] = field(default_factory=dict)


RECORDS: list[Sent] = []


def write_records(folder: Path, counts: dict[str, int]) -> None:
    """Leave what this process knows in a file of its own."""
    held = {"sent": [asdict(sent) for sent in RECORDS], "counts": counts}
    whole = folder / f"record-{os.getpid()}.json"
    aside = whole.with_suffix(".new")
    aside.write_text(json.dumps(held))
    aside.replace(whole)


def read_records(folder: Path) -> tuple[list[Sent], dict[str, int]]:
    """What all processes knew: gifts by giver, and the sums of their counts."""
    sent: list[Sent] = []
    counts: dict[str, int] = {}
    for path in sorted(folder.glob("record-*.json")):
        held = json.loads(path.read_text())
        sent += [
            Sent(**{**row, "open": {key: tuple(value) for key, value in row["open"].items()}}) for row in held["sent"]
        ]
        for name, count in held["counts"].items():
            counts[name] = counts.get(name, 0) + count
    return sent, counts
