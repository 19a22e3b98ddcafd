"""What coins cost: the price table, versions, regions, unit prices, and a best value that is one."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from server.domain.packages import Package, best_value, seed
from server.ledger.recharge import packages
from server.stores.postgres import Pool
from tests.web.conftest import StartGateway

PRICES = {
    "ios": {70: 129, 350: 649, 1400: 2699, 7000: 12999},
    "android": {70: 119, 350: 599, 1400: 2499, 7000: 11999},
    "web": {100: 99, 500: 499, 1000: 999, 10_000: 9899, 50_000: 48_999},
}


@pytest.mark.parametrize("platform", sorted(PRICES))
async def test_the_price_table_is_what_is_offered(start_gateway: StartGateway, platform: str) -> None:
    gateway = await start_gateway(demo=True, demo_bots=False)
    status, answer = await gateway.get("/packages", platform=platform)
    assert status == 200
    if platform != "web":
        assert answer["packages"] == []  # no app is configured that sells
        found = await _offered(gateway.settings.database_url, platform)
        assert {package.coins: package.amount for package in found} == PRICES[platform]
        return
    fixed = [package for package in answer["packages"] if "coins_min" not in package]
    assert {package["coins"]: package["price"]["amount"] for package in fixed} == PRICES["web"]
    assert {package["price"]["currency"] for package in fixed} == {"USD"}
    assert [package["id"] for package in fixed if package["best_value"]] == ["web_50000"]
    assert fixed[0]["per_1000_coins"] == {"amount": 990, "currency": "USD"}
    assert [method["id"] for method in answer["methods"]] == [
        "card", "paypal", "apple_pay", "google_pay", "mobile_wallet",
    ]  # fmt: skip
    assert answer["pretend"] is True


async def _offered(database_url: str, platform: str) -> list[Package]:
    from server.stores import postgres

    async with await postgres.connect(database_url, size_max=1) as pool:
        return await packages.offered(pool, platform, "PT")


def _package(coins: int, amount: int, **more: object) -> Package:
    named: dict[str, object] = {"platform": "web", "region": "*", "currency": "USD", "coins": coins, "amount": amount}
    return Package(id=f"web_{coins}", version=1, **named | more)  # type: ignore[arg-type]


def test_best_value_is_said_only_of_the_one_whose_coins_cost_less_than_all_others() -> None:
    small, large, custom = _package(100, 99), _package(500, 499), _package(1, 1, coins_min=1, coins_max=10)

    def best(*offered: Package) -> Package | None:
        return best_value((package, package.coin_price) for package in offered)

    assert best(small, large, custom) is small
    assert best(small, _package(1000, 990), large) is None
    assert best(small) is None
    assert best() is None
    assert best(large, replace(custom, coins=100, amount=90)) is None
    # One package in two sizes is not better than itself.
    assert best_value([(custom, Fraction(1)), (large, Fraction(2)), (custom, Fraction(3))]) is None
    assert best_value([(large, Fraction(1)), (custom, Fraction(2)), (custom, Fraction(3, 4))]) is None


def test_a_custom_amount_is_rounded_up_and_kept_within_its_bounds() -> None:
    custom = _package(300, 100, coins_min=10, coins_max=1000)
    assert custom.price_of(10) == (10, 4)
    assert custom.price_of(300) == (300, 100)
    for coins in (None, 9, 1001):
        with pytest.raises(ValueError, match="between 10 and 1000"):
            custom.price_of(coins)
    with pytest.raises(ValueError, match="has 100 coins"):
        _package(100, 99).price_of(101)


async def test_a_new_price_is_a_new_version_and_an_operators_own_is_left_alone(pool: Pool) -> None:
    before = {package.id: package for package in seed()}
    dearer = replace(before["web_100"], amount=109)
    async with pool.acquire() as conn:
        await packages.plant(conn, [dearer])
        await packages.plant(conn, [dearer])
        found = await packages.newest(conn, "web_100")
        assert found == replace(dearer, version=2)
        await packages.add(conn, replace(dearer, version=3, active=False))
        await packages.plant(conn, [dearer])
        assert "web_100" not in {package.id for package in await packages.offered(pool, "web", "PT")}
        assert await conn.fetchval("SELECT count(*) FROM packages WHERE package_id = 'web_100'") == 3


async def test_a_region_with_packages_of_its_own_sees_these_alone(pool: Pool) -> None:
    brazil = _package(100, 549, region="BR", currency="BRL")
    async with pool.acquire() as conn:
        await packages.add(conn, replace(brazil, id="web_100_br"))
    assert [package.id for package in await packages.offered(pool, "web", "BR")] == ["web_100_br"]
    assert "web_100_br" not in {package.id for package in await packages.offered(pool, "web", "PT")}
