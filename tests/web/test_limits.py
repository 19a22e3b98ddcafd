"""Token buckets: so many a second, so many at once."""

from server.web.limits import BucketTable, TokenBucket


def test_a_bucket_gives_its_burst_at_once_and_then_its_rate():
    bucket = TokenBucket(per_second=2, burst=3, now_s=100.0)
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.take(100.4)
    assert bucket.take(100.5)
    assert not bucket.take(100.5)


def test_a_bucket_never_holds_more_than_its_burst():
    bucket = TokenBucket(per_second=100, burst=2, now_s=0.0)
    assert [bucket.take(1000.0) for _ in range(3)] == [True, True, False]


def test_a_bucket_says_when_to_come_back():
    bucket = TokenBucket(per_second=2, burst=1, now_s=0.0)
    assert bucket.take(0.0)
    assert not bucket.take(0.0)
    assert bucket.retry_ms() == 500
    assert bucket.take(0.5)


def test_taking_up_to_a_number_takes_what_is_there():
    bucket = TokenBucket(per_second=1, burst=5, now_s=0.0)
    assert [bucket.take_up_to(0.0, 3), bucket.take_up_to(0.0, 3), bucket.take_up_to(0.0, 3)] == [3, 2, 0]


def test_a_table_keeps_a_bucket_for_each_and_forgets_the_least_lately_used():
    table = BucketTable(per_second=1, burst=1, size_max=2)
    assert table.get("a", 0.0).take(0.0)
    assert table.get("b", 0.0).take(0.0)
    assert not table.get("a", 0.0).take(0.0)
    table.get("c", 0.0)
    assert not table.get("a", 0.0).take(0.0)
    assert table.get("b", 0.0).take(0.0)
