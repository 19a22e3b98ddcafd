"""The measures of a finished run as Markdown tables, for the documents.

``python -m loadtests.bench.markdown FILE [PART]``. PART is the letter of one part, such as `b`, or `goals` for all that
is judged; without it all parts are printed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import orjson

from loadtests.bench.measure import number

_HEAD = (
    "| figure | median | least – most | unit | beside it | ratio | goal |\n"
    "| --- | ---: | ---: | --- | --- | ---: | --- |"
)


def tables(measures: list[dict[str, Any]], part: str = "") -> str:
    """One table for each part, under its name."""
    lines: list[str] = []
    last = ""
    for measure in measures:
        if not measure["part"].startswith(part):
            continue
        if measure["part"] != last:
            last = measure["part"]
            lines += ["", f"**{last}**", "", _HEAD]
        lines.append(_row(measure))
    return "\n".join(lines).strip()


def goals(measures: list[dict[str, Any]]) -> str:
    """What has a goal, with what came of it."""
    lines = ["| | goal | measured | |", "| --- | --- | ---: | --- |"]
    for measure in measures:
        if measure["goal"] is None:
            continue
        beside = f" (beside: {measure['beside']})" if measure["beside_values"] else ""
        name = f"{measure['part'].split('.')[0]}. {measure['name'].strip()}{beside}"
        of_ratio = measure["goal"].endswith("×")
        measured = f"{number(measure['ratio'])} ×" if of_ratio else f"{number(measure['median'])} {measure['unit']}"
        met = "reached" if measure["met"] else "**missed**"
        lines.append(f"| {name} | {measure['goal']} | {measured} | {met} |")
    return "\n".join(lines)


def _row(measure: dict[str, Any]) -> str:
    values = measure["values"]
    spread = f"{number(min(values))} – {number(max(values))}" if len(values) > 1 else ""
    beside = f"{number(measure['beside_median'])}, {measure['beside']}" if measure["beside_values"] else ""
    ratio = "" if measure["ratio"] is None else f"{number(measure['ratio'])} ×"
    goal = "" if measure["goal"] is None else f"{measure['goal']}: {'reached' if measure['met'] else '**missed**'}"
    cells = [measure["name"].strip(), number(measure["median"]), spread, measure["unit"], beside, ratio, goal]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the tables of a result."""
    result = orjson.loads(Path(sys.argv[1]).read_bytes())
    part = sys.argv[2] if len(sys.argv) > 2 else ""
    print(goals(result["measures"]) if part == "goals" else tables(result["measures"], part))


if __name__ == "__main__":
    main()
