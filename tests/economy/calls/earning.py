"""Rewards, promotions, referrals, challenges, rewarded ads and surveys, and what admins do with them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.economy.calls import Calls, People

_NOW = datetime.now(UTC)
PROMOTION = {
    "id": "spring",
    "name": "Spring bonus",
    "kind": "bonus",
    "percent": 50,
    "starts_at": _NOW.isoformat(),
    "ends_at": (_NOW + timedelta(hours=1)).isoformat(),
    "regions": ["PT"],
    "budget_coins": 1000,
    "uses_max": 10,
}
TRIAL = {
    "package": "web.100",
    "coins": 100,
    "amount": 99,
    "region": "PT",
    "platform": "web",
    "terms": PROMOTION,
}
CHALLENGE = {
    "id": "roses",
    "kind": "challenge",
    "title": "Send ten roses",
    "metric": "gifts",
    "gifts": ["rose"],
    "starts_at": PROMOTION["starts_at"],
    "ends_at": PROMOTION["ends_at"],
    "goal": 10,
    "reward_coins": 5,
    "winners_max": 100,
}
CONTEST = {
    "id": "week",
    "kind": "contest",
    "title": "Gifters of the week",
    "metric": "coins",
    "starts_at": PROMOTION["starts_at"],
    "ends_at": PROMOTION["ends_at"],
    "prizes": [100, 50],
}


def calls(people: People) -> Calls:
    viewer, admin = people.viewer, people.admin

    def mine(path: str) -> tuple[str, None, list[Any]]:
        return (path, None, [(viewer, None, 200), (None, None, 401)])

    return {
        ("get", "/admin/promotions"): ("/admin/promotions", None, [(admin, None, 200), (viewer, None, 403)]),
        ("post", "/admin/promotions"): (
            "/admin/promotions",
            None,
            [
                (admin, PROMOTION, 201),
                (admin, PROMOTION, 201),
                (admin, PROMOTION | {"percent": None}, 400),
                (admin, PROMOTION | {"starts_at": "2026-01-01T00:00:00"}, 400),
                (viewer, PROMOTION, 403),
                (None, PROMOTION, 401),
            ],
        ),
        ("post", "/admin/promotions/preview"): (
            "/admin/promotions/preview",
            None,
            [(admin, TRIAL, 200), (admin, {}, 400), (viewer, TRIAL, 403)],
        ),
        ("post", "/admin/promotions/{promotion}/end"): (
            "/admin/promotions/spring/end",
            None,
            [(admin, {}, 200), (viewer, {}, 403)],
        ),
        ("post", "/admin/challenges"): (
            "/admin/challenges",
            None,
            [
                (admin, CHALLENGE, 201),
                (admin, CONTEST, 201),
                (admin, CHALLENGE, 409),
                (admin, CONTEST | {"goal": 5}, 400),
                (viewer, CHALLENGE, 403),
            ],
        ),
        ("get", "/admin/challenges"): ("/admin/challenges", None, [(admin, None, 200), (None, None, 401)]),
        ("post", "/admin/challenges/preview"): (
            "/admin/challenges/preview",
            None,
            [(admin, CHALLENGE, 200), (admin, CONTEST, 200), (viewer, CHALLENGE, 403)],
        ),
        ("post", "/admin/challenges/{challenge}/end"): (
            "/admin/challenges/roses/end",
            None,
            [(admin, {}, 200), (admin, {}, 409), (viewer, {}, 403)],
        ),
        ("get", "/promotions"): mine("/promotions"),
        ("get", "/rewards"): mine("/rewards"),
        ("get", "/referrals"): mine("/referrals"),
        ("post", "/referrals"): (
            "/referrals",
            None,
            [(viewer, {"code": "ABCDEFGH"}, 404), (viewer, {"code": "A"}, 400), (None, {"code": "ABCDEFGH"}, 401)],
        ),
        ("get", "/challenges"): mine("/challenges"),
        ("post", "/challenges/{challenge}/join"): (
            "/challenges/week/join",
            None,
            [(viewer, None, 200), (None, None, 401)],
        ),
        ("get", "/challenges/{challenge}/ranking"): (
            "/challenges/week/ranking",
            None,
            [(viewer, None, 200), (None, None, 401)],
        ),
        ("get", "/rewarded"): mine("/rewarded"),
        ("post", "/rewarded/{kind}"): ("/rewarded/ad", None, [(viewer, None, 201), (None, None, 401)]),
        ("post", "/rewarded/reports/{provider}"): (
            "/rewarded/reports/sandbox",
            None,
            [(None, {"transaction": "t", "session": "s", "completed": True}, 401)],
        ),
        ("post", "/demo/rewarded/{session}"): (
            "/demo/rewarded/rw_none",
            None,
            [(viewer, {"completed": True}, 404), (viewer, {}, 400)],
        ),
    }
