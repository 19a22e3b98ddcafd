"""One's own account, reports and flags."""

from tests.economy.calls import Calls, People

REPORT = {"subject_kind": "user", "subject": "walt", "reason": "spam"}
OUTCOME = {"outcome": "nothing"}


def calls(people: People) -> Calls:
    viewer, admin = people.viewer, people.admin
    asked: Calls = {
        ("get", "/account/profile"): ("/account/profile", None, [(viewer, None, 200), (None, None, 401)]),
        ("put", "/account/profile"): (
            "/account/profile",
            None,
            [
                (viewer, {"birth_date": "1990-01-01"}, 200),
                (viewer, {"birth_date": "1991-01-01"}, 409),
                (viewer, {"region": "x"}, 400),
            ],
        ),
        ("get", "/account/logins"): ("/account/logins", None, [(viewer, None, 200), (None, None, 401)]),
        ("post", "/account/purchase-block"): (
            "/account/purchase-block",
            None,
            [(viewer, {"pin": "1234"}, 200), (viewer, {"pin": "1234"}, 409), (viewer, {"pin": "x"}, 400)],
        ),
        ("post", "/account/purchase-block/lift"): (
            "/account/purchase-block/lift",
            None,
            [(viewer, {"pin": "9999"}, 403), (viewer, {"pin": "1234"}, 200), (viewer, {"pin": "1234"}, 404)],
        ),
        ("post", "/reports"): ("/reports", None, [(viewer, REPORT, 201), (viewer, {}, 400), (None, REPORT, 401)]),
    }
    asked["get", "/account/limits"] = ("/account/limits", None, [(viewer, None, 200), (None, None, 401)])
    asked["put", "/account/limits/{period}"] = (
        "/account/limits/month",
        None,
        [(viewer, {"coins": 10**9}, 200), (viewer, {"coins": -1}, 400), (None, {"coins": 1}, 401)],
    )
    asked["post", "/account/pause"] = ("/account/pause", None, [(viewer, {"days": 0}, 400), (None, {"days": 1}, 401)])
    for kind in ("reports", "flags"):
        asked["get", f"/admin/{kind}"] = (f"/admin/{kind}", None, [(admin, None, 200), (viewer, None, 403)])
        path = f"/admin/{kind}/{{number}}/close"
        asked["post", path] = (f"/admin/{kind}/999/close", None, [(admin, OUTCOME, 404), (viewer, OUTCOME, 403)])
    return asked
