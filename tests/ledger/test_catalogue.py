"""Prices are versioned: a gift keeps the price it was paid at, whatever the catalogue says later."""

from dataclasses import replace

from server.domain.catalogue import seed, seed_items
from server.ledger import catalogue
from tests.ledger.stage import Stage


async def test_the_seed_is_the_catalogue_of_a_new_installation(stage: Stage) -> None:
    loaded = await catalogue.load(stage.pool)
    assert {gift["id"]: gift for gift in loaded.public()} == {gift.id: gift.public() for gift in seed()}


async def test_a_changed_price_is_a_new_version_and_the_old_one_stays(stage: Stage) -> None:
    dearer = [replace(gift, coins=2, diamonds=2) if gift.id == "rose" else gift for gift in seed()]
    for _ in range(2):
        await _plant(stage, dearer)
    rose = (await catalogue.load(stage.pool)).get("rose")
    assert rose is not None
    assert (rose.version, rose.coins) == (2, 2)
    async with stage.pool.acquire() as conn:
        prices = await catalogue.prices(conn)
    assert prices["rose", 1][:2] == (1, 1)
    assert prices["rose", 2][:2] == (2, 2)
    assert len(prices) == len(seed()) + len(seed_items()) + 1


async def test_a_changed_look_is_no_new_version(stage: Stage) -> None:
    renamed = [replace(gift, name="Red Rose", effect={"kind": "pop"}) if gift.id == "rose" else gift for gift in seed()]
    await _plant(stage, renamed)
    rose = (await catalogue.load(stage.pool)).get("rose")
    assert rose is not None
    assert (rose.version, rose.name, rose.effect) == (1, "Red Rose", {"kind": "pop"})


async def test_a_gift_that_is_gone_from_the_seed_is_kept(stage: Stage) -> None:
    await _plant(stage, [gift for gift in seed() if gift.id != "rose"])
    assert (await catalogue.load(stage.pool)).get("rose") is not None


async def test_what_an_operator_changed_survives_the_next_start(stage: Stage) -> None:
    await stage.pool.execute(
        "INSERT INTO catalogue (gift_id, version, name, coins, diamonds, tier, streakable, effect)"
        " SELECT gift_id, 2, name, 7, 7, tier, streakable, effect FROM catalogue WHERE gift_id = 'rose'"
    )
    await stage.pool.execute("UPDATE catalogue SET active = false WHERE gift_id = 'lollipop'")
    await _plant(stage, seed())
    loaded = await catalogue.load(stage.pool)
    rose, lollipop = loaded.get("rose"), loaded.get("lollipop")
    assert rose is not None
    assert lollipop is not None
    assert rose.coins == 7
    assert not lollipop.active
    assert "lollipop" not in {gift["id"] for gift in loaded.public()}


async def _plant(stage: Stage, gifts: list) -> None:  # type: ignore[type-arg]
    async with stage.pool.acquire() as conn, conn.transaction():
        await catalogue.plant(conn, gifts)
