"""What Redis counts as spent of viewers' budgets, against the gifts and returns that it was counted from."""

from collections.abc import Iterator
from dataclasses import dataclass

from asyncpg import Record

from server.domain.controls import Controls, Period, microseconds
from server.ledger.auditing.finding import QUERY_TIMEOUT_S
from server.ledger.auditing.redis_view import HeldWallet, ShardView
from server.ledger.auditing.report import Check, Findings
from server.stores.postgres import Connection

VIEWERS_PER_QUERY = 1_000
CLOCK_SLACK_S = 3_660
"""By how much a server's clock may be set back (an hour), and differ from that of the one before it (a minute). So
close to a period's beginning a gift's time does not say for which of two periods it was counted."""


@dataclass(slots=True)
class _Looked:
    """How many wallets were compared: to the coin, within what was spent around a beginning, not at all."""

    exactly: int = 0
    nearly: int = 0
    aside: int = 0

    @property
    def words(self) -> str:
        """For the case that all is well."""
        more = f", {self.nearly} more but for gifts around the beginning of a period" if self.nearly else ""
        return f"{self.exactly} wallets with budgets{more}" + (
            f", {self.aside} with records that are not whole not compared" if self.aside else ""
        )


async def check_budgets(conn: Connection, before: Connection, shards: list[ShardView]) -> Check:
    """A wallet's controls are those of their version in the ledger, and what it counts as spent in each period that
    runs is what the viewer spent in it, less what came back: settled, and in the log up to the wallet's own moment.

    before: a snapshot from before Redis was read. A wallet has the version that was known there to have reached it.
    """
    wrong, looked = Findings("budgets_match"), _Looked()
    for view in shards:
        if view.compared:
            await _find_lost(before, view, wrong)
        held = [(viewer, wallet) for viewer, wallet in view.wallets.items() if wallet.controls is not None]
        for start in range(0, len(held), VIEWERS_PER_QUERY):
            page = dict(held[start : start + VIEWERS_PER_QUERY])
            for row in await _read(conn, page):
                wallet = page[row["viewer"]]
                assert wallet.controls is not None
                _compare_terms(row, wallet.controls, wrong)
                _compare_spent(row, view, wallet, wallet.controls, wrong=wrong, looked=looked)
    return wrong.check(looked.words)


async def _find_lost(before: Connection, view: ShardView, wrong: Findings) -> None:
    """Loaded wallets without the controls that they had."""
    wallets = list(view.wallets.items())
    for start in range(0, len(wallets), VIEWERS_PER_QUERY):
        page = wallets[start : start + VIEWERS_PER_QUERY]
        rows = await before.fetch(
            """
            SELECT viewer, held.version, told FROM controls
            JOIN unnest($1::text[], $2::bigint[]) AS held (viewer, version) ON user_id = viewer
            WHERE told > held.version ORDER BY viewer
            """,
            [viewer for viewer, _ in page],
            [0 if wallet.controls is None else wallet.controls.version for _, wallet in page],
            timeout=QUERY_TIMEOUT_S,
        )
        for viewer, version, told in rows:
            wrong.add(f"{viewer}: Redis has version {version} of the controls, it had {told}")


async def _read(conn: Connection, wallets: dict[str, HeldWallet]) -> list[Record]:
    begins = {viewer: list(_begins(wallet.controls)) for viewer, wallet in wallets.items() if wallet.controls}
    return await conn.fetch(
        _SPENT,
        list(wallets),
        [wallet.credit for wallet in wallets.values()],
        *([begins[viewer][place] for viewer in wallets] for place in range(len(Period))),
        CLOCK_SLACK_S * 1_000_000,
        timeout=QUERY_TIMEOUT_S,
    )


def _begins(controls: Controls) -> Iterator[int]:
    """When the periods began that a wallet counts for, in µs."""
    return (period.bounds_us(controls.budgets[period].ends_us - 1)[0] for period in Period)


def _compare_terms(row: Record, held: Controls, wrong: Findings) -> None:
    viewer, version = row["viewer"], row["version"] or 0
    if held.version > version:
        wrong.add(f"{viewer}: Redis has version {held.version} of the controls, the ledger has {version}")
    if held.version != version:
        return  # a change is on its way
    until = row["excluded_until"]
    wrong.expect(f"{viewer}: pause in Redis", held.not_before_us, 0 if until is None else microseconds(until))
    for period in Period:
        wrong.expect(f"{viewer}: limit of the {period}", held.budgets[period].limit, row[f"{period}_limit"])


def _compare_spent(
    row: Record, view: ShardView, wallet: HeldWallet, held: Controls, *, wrong: Findings, looked: _Looked
) -> None:
    gifts = list(view.window.gifts_of(row["viewer"], view.cursor.number, wallet.number))
    if row["unknown"] or not all(gift.at_us for gift in gifts):
        looked.aside += 1
        return
    slack_us, exact = CLOCK_SLACK_S * 1_000_000, True
    for period, begins_us in zip(Period, _begins(held), strict=True):
        least = row[f"{period}_least"] + sum(gift.coins for gift in gifts if gift.at_us >= begins_us + slack_us)
        most = row[f"{period}_most"] + sum(gift.coins for gift in gifts if gift.at_us >= begins_us - slack_us)
        exact &= least == most
        spent = held.budgets[period].spent
        if not least <= spent <= most:
            known = least if least == most else f"{least} to {most}"
            wrong.add(f"{row['viewer']}: spent this {period} in Redis: {spent} instead of {known}")
    looked.exactly += exact
    looked.nearly += not exact


def _sums(period: Period) -> str:
    """Of one period: with and without what was spent, or came back, around its beginning."""
    return f"""
        coalesce(sum(coins) FILTER (WHERE at_us >= asked.{period} + sign(coins) * $6), 0)::bigint AS {period}_least,
        coalesce(sum(coins) FILTER (WHERE at_us >= asked.{period} - sign(coins) * $6), 0)::bigint AS {period}_most
    """


_SPENT = f"""
    SELECT asked.viewer, version, excluded_until, day_limit, week_limit, month_limit, spent.*, EXISTS (
        SELECT FROM quarantine WHERE viewer_id = asked.viewer AND at >= to_timestamp(since / 1000000.0)
        AND (num_nulls(coins, at_us) > 0 OR resolved_at IS NOT NULL)
    ) AS unknown
    FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
        AS asked (viewer, credit, day, week, month)
    CROSS JOIN LATERAL (SELECT least(day, week, month) - $6::bigint AS since) AS earliest
    LEFT JOIN controls ON controls.user_id = asked.viewer
    CROSS JOIN LATERAL (
        SELECT {", ".join(_sums(period) for period in Period)}
        FROM (
            SELECT coins, at_us FROM gifts WHERE viewer_id = asked.viewer AND at_us >= since
            UNION ALL
            SELECT coins, at_us FROM quarantine WHERE viewer_id = asked.viewer AND coins > 0 AND at_us >= since
            UNION ALL
            SELECT -coins, spent_at_us FROM credits
            WHERE user_id = asked.viewer AND number <= asked.credit AND spent_at_us >= since
        ) AS debits
    ) AS spent
"""  # noqa: S608 - names of columns
