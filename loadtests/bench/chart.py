"""The judged measures as one SVG, each against its goal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from loadtests.bench.measure import Measure, number

WIDTH = 980
LABEL = 430
BAR = 360
ROW = 26
TOP = 64
DECADES = 2.0
"""The scale goes from a hundredth of the goal to a hundred times the goal."""

_STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1f2430 }
  .title { font-size: 18px; font-weight: 600 } .part { font-weight: 600 } .small { font-size: 11px; fill: #6b7280 }
  .met { fill: #2f9e6e } .missed { fill: #d9480f } .goal { stroke: #1f2430; stroke-width: 1.5 }
  .back { fill: #ffffff }
  .track { fill: #eef0f4 }
"""


def chart(measures: Sequence[Measure], title: str) -> str:
    """Bars to the right of the goal line are as good as wanted or better, on a logarithmic scale."""
    judged = [measure for measure in measures if measure.goal is not None]
    rows: list[str] = []
    y, part = TOP, ""
    for measure in judged:
        if measure.part != part:
            part = measure.part
            rows.append(f'<text class="part" x="16" y="{y + 17}">{escape(part)}</text>')
            y += ROW
        rows.append(_bar(measure, y))
        y += ROW
    goal_x = LABEL + BAR / 2
    axis = (
        f'<line class="goal" x1="{goal_x}" x2="{goal_x}" y1="{TOP - 8}" y2="{y}"/>'
        f'<text class="small" x="{goal_x}" y="{TOP - 14}" text-anchor="middle">goal</text>'
        f'<text class="small" x="{LABEL}" y="{TOP - 14}">worse</text>'
        f'<text class="small" x="{LABEL + BAR}" y="{TOP - 14}" text-anchor="end">better</text>'
    )
    height = y + 24
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        f'role="img" aria-label="{escape(title)}"><style>{_STYLE}</style>'
        f'<rect class="back" width="{WIDTH}" height="{height}"/>'
        f'<text class="title" x="16" y="30">{escape(title)}</text>'
        f"{''.join(rows)}{axis}</svg>\n"
    )


def _bar(measure: Measure, y: int) -> str:
    goal = measure.goal
    assert goal is not None
    value = measure.ratio if goal.of_ratio else measure.median
    assert value is not None
    better = value / goal.value if goal.bound == "≥" else goal.value / value
    share = min(1.0, max(0.0, 0.5 + math.log10(better) / (2 * DECADES)))
    middle = LABEL + BAR / 2
    x, end = sorted((middle, LABEL + share * BAR))
    says = f"{number(value)}{' ×' if goal.of_ratio else f' {measure.unit}'} ({goal})"
    return (
        f'<text x="28" y="{y + 17}">{escape(measure.name.strip())}</text>'
        f'<rect class="track" x="{LABEL}" y="{y + 5}" width="{BAR}" height="{ROW - 10}"/>'
        f'<rect class="{"met" if measure.met else "missed"}" x="{x:.1f}" y="{y + 5}" width="{end - x:.1f}" '
        f'height="{ROW - 10}"/>'
        f'<text class="small" x="{LABEL + BAR + 10}" y="{y + 17}">{escape(says)}</text>'
    )
