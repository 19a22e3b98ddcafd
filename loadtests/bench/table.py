"""The measures as a table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from loadtests.bench.measure import Measure, number

_HEAD = ("", "median", "least – most", "unit", "beside", "", "ratio", "goal", "")


def table(measures: Sequence[Measure]) -> str:
    """One line for each measure, under its part."""
    lines: list[tuple[str, ...]] = []
    part = ""
    for measure in measures:
        if measure.part != part:
            part = measure.part
            lines.append((part,))
        lines.append(_row(measure))
    widths = [max([len(_HEAD[n]), *(len(line[n]) for line in lines if len(line) > 1)]) for n in range(len(_HEAD))]
    rows = [_join(line, widths) if len(line) > 1 else f"\n{line[0]}" for line in lines]
    return "\n".join([_join(_HEAD, widths), *rows])


def _row(measure: Measure) -> tuple[str, ...]:
    beside, ratio = measure.beside_median, measure.ratio
    return (
        f"  {measure.name}",
        number(measure.median),
        f"{number(min(measure.values))} – {number(max(measure.values))}" if len(measure.values) > 1 else "",
        measure.unit,
        "" if beside is None else number(beside),
        measure.beside,
        "" if ratio is None else f"{number(ratio)} ×",
        str(measure.goal or ""),
        {None: "", True: "met", False: "MISSED"}[measure.met],
    )


def _join(cells: Sequence[str], widths: Sequence[int]) -> str:
    right = {1, 2, 4, 6}
    padded = [
        cell.rjust(width) if n in right else cell.ljust(width)
        for n, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(padded).rstrip()
