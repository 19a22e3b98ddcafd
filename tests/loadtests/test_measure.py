"""Promises of the table that `make bench` ends with."""

import pytest

from loadtests.bench.chart import chart
from loadtests.bench.markdown import tables
from loadtests.bench.measure import Goal, Measure, number
from loadtests.bench.table import table


def test_the_median_counts_and_a_ratio_is_of_medians() -> None:
    measure = Measure("part", "name", "gifts/s", [100, 900, 300], "limit", [200, 600, 400])
    assert measure.median == 300
    assert measure.ratio == 0.75


@pytest.mark.parametrize(
    ("goal", "met"),
    [
        (Goal("≥", 300), True),
        (Goal("≥", 301), False),
        (Goal("≤", 300), True),
        (Goal("≤", 299), False),
        (Goal("≥", 0.75, of_ratio=True), True),
        (Goal("≤", 0.74, of_ratio=True), False),
    ],
)
def test_a_goal_is_met_on_its_own_side_of_the_bound(goal: Goal, met: bool) -> None:
    assert Measure("part", "name", "gifts/s", [300], "limit", [400], goal).met is met


def test_a_missed_goal_is_said_in_the_table_and_shown_in_the_chart() -> None:
    measures = [
        Measure("a. part", "good", "µs", [1.0], goal=Goal("≤", 2)),
        Measure("a. part", "bad <one>", "µs", [3.0], goal=Goal("≤", 2)),
    ]
    lines = table(measures).splitlines()
    assert [line.endswith("met") for line in lines if "good" in line] == [True]
    assert [line.endswith("MISSED") for line in lines if "bad" in line] == [True]
    rows = tables([measure.as_dict() for measure in measures]).splitlines()
    assert [row.endswith("≤ 2: reached |") for row in rows if "good" in row] == [True]
    assert [row.endswith("≤ 2: **missed** |") for row in rows if "bad" in row] == [True]
    drawn = chart(measures, "title")
    assert drawn.count('class="missed"') == drawn.count('class="met"') == 1
    assert "bad &lt;one&gt;" in drawn


def test_numbers_show_what_counts() -> None:
    assert [number(value) for value in (0, 12345.6, 99.44, 1.234, 0.01234)] == ["0", "12,346", "99.4", "1.23", "0.0123"]
