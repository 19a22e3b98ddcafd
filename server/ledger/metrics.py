"""What settlement counts, for Prometheus."""

from prometheus_client import Counter, Gauge

SETTLED_GIFTS = Counter("giftstream_settled_gifts", "Gifts settled in the ledger")
SETTLED_BATCHES = Counter("giftstream_settled_batches", "Transactions that settled gifts")
QUARANTINED_GIFTS = Counter("giftstream_quarantined_gifts", "Gifts that could not be settled and were put aside")
FAILURES = Counter("giftstream_settlement_failures", "Attempts to settle that failed and were rolled back", ["kind"])
LAG_GIFTS = Gauge("giftstream_settlement_lag_gifts", "Accepted gifts that are not settled yet")
LAG_SECONDS = Gauge(
    "giftstream_settlement_lag_seconds", "Longest time that a shard with unsettled gifts has not moved on"
)
PARTITIONS_MADE = Counter("giftstream_partitions_made", "Daily partitions made ahead")
CREDITS_SWEPT = Counter(
    "giftstream_credits_swept", "Viewers whose credits a crash or an older Redis had left out, and that were applied"
)
INCIDENTS = Counter("giftstream_incidents", "Incidents put on record, such as a Redis that came back older", ["kind"])
