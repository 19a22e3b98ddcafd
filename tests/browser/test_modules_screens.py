"""What is shown first, kept, displaced and dropped: the pure rules behind tray, stage, thanks, alerts and chart."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.modules import Modules

MINUTE_US = 60_000_000


def _gift(who: str, coins: int, **more: Any) -> dict[str, Any]:
    sender = {"id": who, "name": who}
    return {"gift_id": f"{who}-{coins}", "from": sender, "gift": "rose", "count": 1, "coins": coins, "at": 1, **more}


async def test_the_tray_keeps_a_combo_in_its_lane_and_lets_better_gifts_displace_cheaper_ones(
    modules: Modules,
) -> None:
    seen = await modules.run(
        "room/lane_board.js",
        """const board = new m.LaneBoard();
           const seen = [];
           const offer = (key, coins, nowMs, more = {}) => {
             board.offer({ key, from: { id: key, name: key }, gift: {}, combo: 1, coins, own: false, ...more }, nowMs);
           };
           const look = (nowMs) => {
             board.tick(nowMs);
             seen.push(board.lanes.map((item) => item && `${item.key}x${item.combo}`).join(" "));
           };
           offer("a", 5, 0); offer("b", 4, 0); offer("c", 3, 0); look(0);
           offer("b", 1, 100, { combo: 7 }); look(100);
           offer("d", 5, 200); look(200);
           offer("e", 100, 300); look(m.SHOWN_MS_MIN - 1);
           look(m.SHOWN_MS_MIN + 100);
           offer("mine", 1, 1200, { own: true }); look(1200);
           look(20000);
           return seen""",
    )
    assert seen[0] == "ax1 bx1 cx1"
    assert seen[1] == seen[2] == seen[3] == "ax1 bx7 cx1"
    assert "ex1" in seen[4]
    assert "cx1" not in seen[4]
    assert "minex1" in seen[5]
    assert seen[6] == "  "


async def test_what_waits_for_the_tray_is_bounded_and_grows_stale(modules: Modules) -> None:
    shown = await modules.run(
        "room/lane_board.js",
        """const board = new m.LaneBoard();
           for (let n = 1; n <= 1000; n += 1) {
             board.offer({ key: `k${n}`, from: {}, gift: {}, combo: 1, coins: 1, own: false }, 0);
           }
           const keys = new Set();
           for (let nowMs = 0; nowMs < 60000; nowMs += 50) {
             board.tick(nowMs);
             for (const item of board.lanes) if (item) keys.add(item.key);
           }
           return [keys.size, m.LANES + m.WAITING_MAX]""",
    )
    assert 3 <= shown[0] <= shown[1]


async def test_the_stage_plays_own_gifts_first_then_value_then_age_and_drops_the_least(modules: Modules) -> None:
    order = await modules.run(
        "effects/stage_queue.js",
        """const queue = new m.StageQueue();
           const add = (name, coins, own = false) => {
             queue.add({ entry: { from: { id: name } }, gift: { id: name }, own, coins, count: 1 });
           };
           add("old", 500); add("young", 500); add("dear", 900); add("mine", 10, true); add("old", 500);
           for (let n = 0; n < 50; n += 1) add(`cheap${n}`, 1);
           const taken = [];
           for (let item = queue.take(); item; item = queue.take()) taken.push([item.gift.id, item.coins]);
           return [taken.slice(0, 4), taken.length, m.STAGE_QUEUE_MAX]""",
    )
    assert order[0] == [["mine", 10], ["old", 1000], ["dear", 900], ["young", 500]]
    assert order[1] == order[2]


async def test_thanks_are_one_entry_a_sender_the_largest_sum_first(modules: Modules) -> None:
    result = await modules.run(
        "studio/thank_queue.js",
        """let queue = new m.ThankQueue();
           queue.add(given, 2);
           const names = () => queue.waiting.map(({ from, coins }) => `${from.id} ${coins}`);
           const seen = [names()];
           queue.thank(queue.next().key);
           queue.add([given[0]]);
           seen.push(names());
           queue = m.ThankQueue.restore(structuredClone(queue.save()));
           queue.putBack(queue.thanked[0].key);
           seen.push(names());
           for (let n = 0; n < 300; n += 1) queue.add([{ ...given[0], from: { id: `u${n}`, name: "" } }]);
           return [seen, queue.waiting.length, m.SENDERS_WAITING_MAX, queue.dropped, queue.unlisted]""",
        [_gift("ana", 5), _gift("ben", 9), _gift("ana", 6), _gift("cleo", 9, at=0)],
    )
    seen, waiting, waiting_max, dropped, unlisted = result
    assert seen[0] == ["ana 11", "cleo 9", "ben 9"]
    assert seen[1] == ["cleo 9", "ben 9", "ana 5"]
    assert seen[2] == ["ana 16", "cleo 9", "ben 9"]
    assert waiting == waiting_max
    assert dropped == 303 - waiting_max
    assert unlisted == 2


async def test_alerts_wait_by_value_grow_in_place_and_are_bounded(modules: Modules) -> None:
    result = await modules.run(
        "overlay/alert_queue.js",
        """const queue = new m.AlertQueue();
           for (const entry of given) queue.add(m.alertOf(entry, 0));
           const first = queue.take(1);
           for (let n = 0; n < 100; n += 1) queue.add(m.alertOf({ ...given[0], gift_id: `g${n}`, combo_id: null }, 5));
           const size = queue.waiting.length;
           return [first, size, m.ALERTS_WAITING_MAX, queue.take(5 + m.ALERT_WAIT_MAX_MS + 1) === undefined]""",
        [
            _gift("ana", 3, combo=1, combo_id="c1"),
            _gift("ben", 50),
            _gift("ana", 57, count=19, combo=20, combo_id="c1"),
        ],
    )
    first, size, size_max, stale = result
    assert (first["from"]["id"], first["times"], first["coins"]) == ("ana", 20, 60)
    assert size == size_max
    assert stale


async def test_minutes_come_from_running_totals_and_a_gap_is_marked_not_guessed(modules: Modules) -> None:
    bars = await modules.run(
        "studio/rate_series.js",
        """const minute = 60000000;
           let series = new m.RateSeries();
           series.rebase(1000, 100 * minute);
           series.observe(1010, 100 * minute + 5);
           series.observe(1025, 101 * minute);
           series.observe(1025, 102 * minute);
           series = m.RateSeries.restore(JSON.parse(JSON.stringify(series.save())));
           series.rebase(5000, 105 * minute);
           series.observe(5007, 105 * minute + 1);
           const bars = series.window(105 * minute + 2);
           for (let n = 106; n < 400; n += 1) series.observe(5007 + n, n * minute);
           return [bars.slice(-6).map(({ diamonds, seen }) => [diamonds, seen]), bars.length, series.bars.size]""",
    )
    assert bars[0] == [[10, True], [15, True], [0, True], [0, False], [0, False], [7, True]]
    assert bars[1] == 60
    assert bars[2] <= 60


@pytest.mark.parametrize(("highest", "top"), [(0, 4), (4, 4), (5, 8), (11, 20), (999, 1000), (12_345, 20_000)])
async def test_the_charts_axis_ends_on_a_round_number(modules: Modules, highest: int, top: int) -> None:
    assert await modules.run("studio/rate_series.js", "return m.axisTop(given)", highest) == top


async def test_the_overlays_address_is_read_with_defaults_for_what_is_wrong(modules: Modules) -> None:
    options = await modules.run(
        "overlay/options.js",
        """return given.map((address) => {
             const { show, ...rest } = m.readOptions(new URL(address, "http://x"));
             return { ...rest, show: [...show].join() };
           })""",
        [
            "/overlay/r_1?show=ranking,COUNTER&min_coins=99&theme=light&position=Top&top=5#token=t",
            "/overlay/r%201?show=,&min_coins=1e9&theme=&position=9&top=4&token=q",
            "/overlay/%E0%A4%A?min_coins=9999999999",
        ],
    )
    plain = {"theme": "dark", "position": "bottom-left", "rankingSize": 3, "show": "alerts,counter,ranking"}
    assert options == [
        {"room": "r_1", "token": "t", "minCoins": 99, "theme": "light", "position": "top", "rankingSize": 5}
        | {"show": "counter,ranking"},
        {"room": "r 1", "token": "q", "minCoins": 0} | plain,
        {"room": "%E0%A4%A", "token": "", "minCoins": 1_000_000_000} | plain,
    ]


async def test_an_avatar_is_the_first_letter_that_can_be_seen(modules: Modules) -> None:
    names = ["ana", " \u200d<b>", "🎉 party", "!!", "émile"]
    initials = await modules.run("lib/avatar.js", "return given.map(m.initialOf)", names)
    assert initials == ["A", "B", "🎉", "?", "É"]


async def test_the_quality_falls_when_frames_are_slow_and_comes_back_when_they_are_not(modules: Modules) -> None:
    qualities = await modules.run(
        "effects/governor.js",
        """const governor = new m.Governor();
           let nowMs = 0;
           const run = (frameMs, forMs) => {
             for (const end = nowMs + forMs; nowMs < end; nowMs += frameMs) governor.frame(nowMs);
             return governor.quality;
           };
           return [run(16.6, 2000), run(60, 5000), run(16.6, 60000)]""",
    )
    assert qualities == [2, 0, 2]
