"""Promises of the histogram behind every latency that is reported."""

from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.client.histogram import VALUE_MAX, Histogram


@settings(deadline=None)
@given(st.lists(st.integers(0, VALUE_MAX), min_size=1, max_size=200), st.sampled_from([1, 50, 90, 99, 100]))
def test_a_percentile_is_right_to_one_percent_and_never_too_small(values: list[int], percent: int) -> None:
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    exact = sorted(values)[max(0, -(-len(values) * percent // 100) - 1)]
    assert exact <= histogram.percentile(percent) <= exact * 1.01 + 1


@settings(deadline=None)
@given(st.lists(st.integers(0, 10**7), max_size=50), st.lists(st.integers(0, 10**7), max_size=50))
def test_two_processes_together_say_what_one_would_have_said(first: list[int], second: list[int]) -> None:
    parts, whole = [Histogram(), Histogram()], Histogram()
    for part, values in zip(parts, (first, second), strict=True):
        for value in values:
            part.record(value)
            whole.record(value)
    merged = Histogram.from_dict(parts[0].as_dict())
    merged.add(Histogram.from_dict(parts[1].as_dict()))
    assert merged.as_dict() == whole.as_dict()
    assert merged.count == len(first) + len(second)


def test_an_early_answer_counts_as_no_time_and_an_endless_one_as_the_longest() -> None:
    histogram = Histogram()
    histogram.record(-5)
    histogram.record(VALUE_MAX + 10)
    assert histogram.percentile(50) == 0
    assert histogram.percentile(100) == VALUE_MAX
