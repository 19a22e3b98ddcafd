"""A viewer's history: every movement once and in order, and each of them found again with where it is."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from server.domain.ids import UserId
from server.ledger import wallets
from server.ledger.settle import Settler
from server.settings import Settings
from server.stores import postgres, redis
from server.wallet.opening import ShardOpener
from server.web.tokens import issue_token
from tests.web.gateways import Gateway


@pytest.fixture
async def settle(settings: Settings) -> AsyncIterator[Any]:
    """Settles everything that is in the logs."""
    client = await redis.connect(settings.redis_url)
    pool = await postgres.connect(settings.database_url, size_max=4)
    opener = ShardOpener(client, pool, settings)

    async def settle_all() -> None:
        await opener.open_all()
        settler = Settler(client, pool, settings)
        for shard in range(settings.wallet_shards):
            while await settler.settle_once(shard):
                pass

    yield settle_all
    await pool.close()
    await client.aclose()


async def _all(gateway: Gateway, token: str, limit: int, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        place = {"cursor": cursor} if cursor else {}
        status, answer = await gateway.get("/wallet/movements", token, limit=limit, **query, **place)
        assert status == 200
        assert len(answer["movements"]) <= limit
        found += answer["movements"]
        cursor = answer["next"]
        if cursor is None:
            return found


async def _table(gateway: Gateway, token: str, **query: str) -> list[dict[str, str]]:
    url, headers = f"{gateway.url}/api/v1/wallet/movements.csv", {"Authorization": f"Bearer {token}"}
    async with gateway.http.get(url, headers=headers, params=query) as response:
        assert response.headers["Content-Type"].startswith("text/csv")
        return list(csv.DictReader(io.StringIO(await response.text())))


def _moment(at_us: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us)).isoformat()


async def test_every_movement_is_there_once_newest_first_on_pages_of_any_size(gateway: Gateway, settle: Any) -> None:
    token = await gateway.coins("ann", 500)
    room = await gateway.open_room()
    client = await gateway.enter(token, room)
    await client.gift(room, "rose", 3)
    await settle()
    await gateway.coins("ann", 20)
    await client.gift(room, "rose", 1)
    await client.gift(room, "coffee", 2)
    whole = await _all(gateway, token, 100)
    assert [(one["kind"], one["coins"], one["status"]) for one in whole] == [
        ("gift", -10, "accepted"),
        ("gift", -1, "accepted"),
        ("promotion", 20, "booked"),
        ("gift", -3, "settled"),
        ("promotion", 500, "booked"),
    ]
    assert whole[0]["creator"] == {"id": "cara", "name": "Cara"}
    for limit in (1, 2, 3):
        assert await _all(gateway, token, limit) == whole
    assert [one["coins"] for one in await _all(gateway, token, 1, kind="gift")] == [-10, -1, -3]
    assert [one["coins"] for one in await _all(gateway, token, 1, kind="promotion,refund")] == [20, 500]
    assert (await gateway.get("/wallet/movements?kind=gifts", token))[0] == 400
    assert (await gateway.get("/wallet/movements?cursor=WzEsMl0", token))[0] == 400


async def test_a_range_of_time_holds_what_is_in_it_wherever_it_is_kept_on_pages_and_in_the_table(
    gateway: Gateway, settle: Any
) -> None:
    token, room = await gateway.coins("ann", 500), await gateway.open_room()
    client = await gateway.enter(token, room)
    await client.gift(room, "rose", 1)
    await client.gift(room, "rose", 2)
    await settle()
    pool = await postgres.connect(gateway.settings.database_url, size_max=1)
    await pool.execute("UPDATE catalogue SET coins = 2 WHERE gift_id = 'rose'")
    await pool.close()
    await client.gift(room, "rose", 3)
    await settle()  # into quarantine
    await gateway.coins("ann", 20)
    await client.gift(room, "coffee", 1)
    await client.gift(room, "coffee", 2)
    whole = await _all(gateway, token, 100)
    assert [one["status"] for one in whole] == [*["accepted"] * 2, "booked", "accepted", *["settled"] * 2, "booked"]
    for until, since in itertools.combinations([one["at"] for one in whole], 2):
        span = {"from": _moment(since), "to": _moment(until)}
        wanted = [one for one in whole if since <= one["at"] < until]
        assert await _all(gateway, token, 2, **span) == wanted
    assert await _all(gateway, token, 1, to=_moment(whole[2]["at"]), kind="gift") == whole[3:6]
    assert [row["id"] for row in await _table(gateway, token, **span)] == [one["id"] for one in wanted]
    for wrong in ("2026-05-01", "yesterday", "2026-05-01T00:00:00", "2026-13-01T00:00:00Z"):
        assert (await gateway.get("/wallet/movements", token, to=wrong))[0] == 400
    assert (await gateway.get("/wallet/movements.csv", token, **{"from": span["to"], "to": span["from"]}))[0] == 400
    assert (await gateway.get("/wallet/movements", token, **{"from": "0001-01-01T00:00:00+14:00"}))[0] == 200


async def test_the_table_has_the_same_rows_and_no_cell_that_a_spreadsheet_would_run(gateway: Gateway) -> None:
    await gateway.coins("ann", 500)
    pool = await postgres.connect(gateway.settings.database_url, size_max=1)
    await wallets.grant(pool, UserId("ann"), 7, "promotion", "=1+1", "+cmd")
    await pool.close()
    token = issue_token(gateway.settings, "ann", "Ann", "viewer", 60)
    rows = await _table(gateway, token)
    assert (rows[0]["coins"], rows[0]["what"], rows[0]["reference"]) == ("7", "'+cmd", "'=1+1")
    assert len(rows) == 2


async def test_a_gift_is_found_by_its_id_and_its_request_and_says_where_it_is(gateway: Gateway, settle: Any) -> None:
    token = await gateway.coins("ann", 500)
    room = await gateway.open_room()
    client = await gateway.enter(token, room)
    ack = await client.gift(room, "rose", 3, id="my request")
    for reference in (ack["gift_id"], "my%20request"):
        status, found = await gateway.get(f"/wallet/trace/{reference}", token)
        assert status == 200
        assert (found["about"], found["id"]) == ("gift", ack["gift_id"])
        assert {step["stage"]: step["state"] for step in found["steps"]} == {
            "debit": "done",
            "log": "done",
            "screen": "waiting",
            "settlement": "waiting",
        }
    await settle()
    for reference in (ack["gift_id"], "my%20request"):
        _, found = await gateway.get(f"/wallet/trace/{reference}", token)
        assert found["steps"][-1]["state"] == "done"
        assert "3 diamonds" in found["verdict"]
    stranger = await gateway.coins("bob", 5)
    assert (await gateway.get(f"/wallet/trace/{ack['gift_id']}", stranger))[0] == 404
    assert (await gateway.get("/wallet/trace/my%20request", stranger))[0] == 404
    assert (await gateway.get("/wallet/trace/w99-1-1", token))[0] == 404
    _, spent = await gateway.get("/wallet/spending?days=7", token)
    assert (spent["coins"], spent["spent"][0]["creator"]["id"], spent["spent"][0]["gifts"]) == (3, "cara", 3)


async def test_a_gift_in_quarantine_says_that_it_is_put_aside(gateway: Gateway, settle: Any) -> None:
    token = await gateway.coins("ann", 500)
    room = await gateway.open_room()
    client = await gateway.enter(token, room)
    ack = await client.gift(room, "rose", 3)
    pool = await postgres.connect(gateway.settings.database_url, size_max=1)
    await pool.execute("UPDATE catalogue SET coins = 2 WHERE gift_id = 'rose'")
    await settle()
    await pool.close()
    _, found = await gateway.get(f"/wallet/trace/{ack['gift_id']}", token)
    assert found["steps"][-1]["state"] == "stopped"
    assert "put aside" in found["steps"][-1]["text"]


async def test_a_credit_says_whether_the_wallet_has_it(gateway: Gateway) -> None:
    token = await gateway.coins("ann", 500)
    _, found = await gateway.get("/wallet/trace/credit-1", token)
    assert [step["state"] for step in found["steps"]] == ["done", "waiting"]
    pool = await postgres.connect(gateway.settings.database_url, size_max=1)
    await wallets.mark_applied(pool, UserId("ann"), 1)
    await pool.close()
    _, found = await gateway.get("/wallet/trace/credit-1", token)
    assert [step["state"] for step in found["steps"]] == ["done", "done"]
    assert (await gateway.get("/wallet/trace/credit-2", token))[0] == 404


async def test_a_purchase_is_found_by_the_providers_transaction(gateway: Gateway) -> None:
    token = await gateway.coins("ann", 500)
    pool = await postgres.connect(gateway.settings.database_url, size_max=1)
    await pool.execute(
        """
        INSERT INTO purchases (id, user_id, provider, method, transaction, platform, region, currency, amount, coins,
                               package_id, package_version, status, paid_at, expires_at)
        SELECT 'p_1', 'ann', 'stripe', 'card', 'pi_77', 'web', 'PT', 'USD', 499, 500, package_id, version, 'paid',
               now(), now()
        FROM packages LIMIT 1
        """
    )
    await pool.execute(
        "INSERT INTO payment_events (provider, event, kind, transaction, purchase_id, outcome, detail)"
        " VALUES ('stripe', 'e1', 'paid', 'pi_77', 'p_1', 'applied', '{}')"
    )
    for reference in ("p_1", "pi_77"):
        _, found = await gateway.get(f"/wallet/trace/{reference}", token)
        assert (found["about"], found["id"]) == ("purchase", "p_1")
        assert [(step["stage"], step["state"]) for step in found["steps"]] == [
            ("provider", "done"),
            ("purchase", "done"),
            ("credit", "waiting"),
        ]
    assert (await gateway.get("/wallet/trace/pi_77", await gateway.coins("bob", 1)))[0] == 404
    await wallets.grant(pool, UserId("ann"), 500, "purchase", "p_1", "bought")
    await wallets.mark_applied(pool, UserId("ann"), 2)
    await pool.execute("UPDATE purchases SET status = 'credited', credited_at = now()")
    await pool.close()
    _, found = await gateway.get("/wallet/trace/pi_77", token)
    assert found["verdict"] == "The coins are in the wallet."
    assert [step["stage"] for step in found["steps"]] == ["provider", "purchase", "credit", "wallet"]
