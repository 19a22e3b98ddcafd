"""The rules of coming back and of sending again, as the page's modules hold them."""

from __future__ import annotations

import pytest

from tests.browser.modules import Modules


async def test_backoff_grows_to_a_cap_and_is_fully_jittered(modules: Modules) -> None:
    longest = await modules.run(
        "lib/backoff.js", "return [0, 1, 2, 5, 6, 50].map((attempt) => m.backoffMs(attempt, () => 1))"
    )
    assert longest == [500, 1_000, 2_000, 16_000, 20_000, 20_000]
    assert await modules.run("lib/backoff.js", "return m.backoffMs(6, () => 0)") == 0
    assert await modules.run("lib/backoff.js", "return m.backoffMs(6, () => 0.5)") == 10_000


@pytest.mark.parametrize(
    ("code", "final"),
    [(1000, True), (1001, False), (1006, False), (1009, True), (1012, False), (4400, True), (4401, True), (4403, True)]
    + [(code, False) for code in (4408, 4409, 4410, 4429)],
)
async def test_a_page_comes_back_after_exactly_the_codes_that_allow_it(
    modules: Modules, code: int, final: bool
) -> None:
    assert await modules.run("lib/backoff.js", "return m.isFinalClose(given)", code) is final


async def test_the_servers_own_delay_is_spread_and_capped(modules: Modules) -> None:
    assert await modules.run("lib/backoff.js", "return m.retryMsOf('{\"retry_ms\":3000}')") == 3_000
    assert await modules.run("lib/backoff.js", "return m.retryMsOf('bye')") is None
    delays = await modules.run("lib/backoff.js", "return [3000, 1e9, -5].map((ms) => m.spreadMs(ms, () => 0.5))")
    assert delays == [1_500, 30_000, 0]


async def test_a_delta_that_comes_twice_is_handled_once(modules: Modules) -> None:
    handled = await modules.run(
        "lib/positions.js",
        """const positions = new m.Positions();
           positions.restart("1-5");
           return ["1-5", "1-6", "1-7", "1-6"].map((each) => positions.handle(each)).concat(positions.latest)""",
    )
    assert handled == [False, True, True, False, "1-7"]


async def test_a_gift_keeps_its_id_until_it_is_answered(modules: Modules) -> None:
    sent, answer = await modules.run(
        "lib/gift_outbox.js",
        """const sent = [];
           const outbox = new m.GiftOutbox((frame) => sent.push(frame.id) > 0);
           const answer = outbox.add({ type: "gift", room: "r", gift: "rose", count: 1 }, 0);
           outbox.pump(1000);
           outbox.disconnected();
           outbox.pump(2000);
           outbox.answered({ type: "gift_nack", id: sent[0], code: "busy", retry_ms: 100 }, 3000);
           outbox.pump(3050);
           outbox.pump(3200);
           outbox.pump(3200 + m.RESEND_AFTER_MS);
           outbox.answered({ type: "gift_nack", id: sent[0], code: "unavailable" }, 15000);
           outbox.pump(15300);
           outbox.pump(18000);
           outbox.answered({ type: "gift_ack", id: sent[0], coins: 7 }, 20000);
           outbox.answered({ type: "gift_ack", id: sent[0], coins: 8 }, 20000);
           outbox.pump(90000);
           return [sent, await answer]""",
    )
    assert len(sent) == 5
    assert len(set(sent)) == 1
    assert answer["coins"] == 7


async def test_the_outbox_is_bounded_and_gives_up_before_the_server_forgets(modules: Modules) -> None:
    in_flight, refused, given_up = await modules.run(
        "lib/gift_outbox.js",
        """const sent = [];
           const outbox = new m.GiftOutbox((frame) => sent.push(frame.id) > 0);
           const first = outbox.add({ type: "gift", room: "r", gift: "rose", count: 1 }, 0);
           while (outbox.size < m.PENDING_MAX) outbox.add({ type: "gift", room: "r", gift: "rose", count: 1 }, 0);
           const inFlight = sent.length;
           const refused = await outbox.add({ type: "gift", room: "r", gift: "rose", count: 1 }, 0);
           outbox.pump(m.ANSWER_DEADLINE_MS + 1);
           return [inFlight, refused.code, (await first).code]""",
    )
    assert (in_flight, refused, given_up) == (8, "busy", "unavailable")
    assert await modules.run("lib/gift_outbox.js", "return m.ANSWER_DEADLINE_MS") < 600_000


async def test_room_state_follows_snapshots_deltas_and_resumes(modules: Modules) -> None:
    states = await modules.run(
        "lib/room_state.js",
        """let state = m.emptyRoomState();
           const seen = [];
           for (const frame of given) {
             const step = m.applyFrame(state, frame);
             state = step.state;
             seen.push([state.diamonds, state.viewers, state.gifts_total, step.gifts.length, step.fresh, state.ended]);
           }
           return seen""",
        [
            {"type": "joined", "room": "r", "diamonds": 10, "gifts": 3, "viewers": 2, "top": []},
            {"type": "delta", "diamonds": 15, "gifts_total": 4, "gifts": [{}]},
            {"type": "delta", "viewers": 9},
            {"type": "joined", "room": "r", "recovered": True, "diamonds": 99, "gifts": 9, "viewers": 1},
            {"type": "delta", "diamonds": 99, "gifts_total": 9, "gifts": [{}, {}]},
            {"type": "unheard of"},
            {"type": "room_ended"},
        ],
    )
    assert states == [
        [10, 2, 3, 0, True, False],
        [15, 2, 4, 1, False, False],
        [15, 9, 4, 0, False, False],
        [15, 1, 4, 0, False, False],
        [99, 1, 9, 2, False, False],
        [99, 1, 9, 0, False, False],
        [99, 1, 9, 0, False, True],
    ]


async def test_the_balance_shows_what_is_left_after_gifts_on_their_way(modules: Modules) -> None:
    shown = await modules.run(
        "room/balance.js",
        """const balance = new m.Balance();
           const shown = [balance.known];
           const note = () => shown.push(balance.coins);
           balance.correct(100); note();
           const first = balance.spend(30); note();
           const second = balance.spend(50); note();
           balance.settle(second, { coins: 50, at: 20 }); note();
           balance.settle(first, { coins: 70, at: 10 }); note();
           const third = balance.spend(40); note();
           balance.settle(third, { code: "busy" }); note();
           return shown""",
    )
    assert shown == [False, 100, 70, 20, 20, 50, 10, 50]
