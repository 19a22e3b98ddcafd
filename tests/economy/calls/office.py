"""What admins do with users, coins, prices and figures."""

from tests.economy.calls import Calls, People

WHY = {"reason": "because"}
ITEM = {"id": "pebble", "name": "Pebble", "coins": 1, "diamonds": 1, "tier": "small", "effect": {"kind": "pop"}}
PACKAGE = {"id": "web_tiny", "platform": "web", "coins": 10, "amount": 19, "currency": "USD"}


def calls(people: People) -> Calls:
    admin, viewer = people.admin, people.viewer
    asked: Calls = {}
    for path, called in (
        ("/admin/users", "/admin/users?name=w"),
        ("/admin/users/{user}", "/admin/users/cara"),
        ("/admin/figures", "/admin/figures"),
        ("/admin/items", "/admin/items?item=rose"),
        ("/admin/packages", "/admin/packages?package=web_custom"),
        ("/admin/record", "/admin/record"),
        ("/admin/adjustments", "/admin/adjustments"),
        ("/admin/trace/{reference}", "/admin/trace/credit-1?user=nobody"),
    ):
        wanted = 404 if "trace" in path else 200
        asked["get", path] = (called, None, [(admin, None, wanted), (viewer, None, 403), (None, None, 401)])
    for deed in ("freeze", "unfreeze", "ban", "unban"):
        path = "/admin/users/{user}/" + deed
        asked["post", path] = (
            f"/admin/users/cara/{deed}",
            None,
            [(admin, WHY, 200), (admin, {"reason": ""}, 400), (viewer, WHY, 403)],
        )
    asked["post", "/admin/adjustments"] = (
        "/admin/adjustments",
        None,
        [
            (admin, {"user": "cara", "coins": 5, **WHY}, 201),
            (admin, {"user": "ada", "coins": 5, **WHY}, 403),
            (admin, {"user": "cara", "coins": 0, **WHY}, 400),
            (admin, {"user": "nobody", "coins": 5, **WHY}, 404),
        ],
    )
    for deed in ("approve", "reject"):
        path = "/admin/adjustments/{adjustment}/" + deed
        asked["post", path] = (f"/admin/adjustments/adj_none/{deed}", None, [(admin, None, 404), (viewer, None, 403)])
    asked["post", "/admin/items"] = ("/admin/items", None, [(admin, ITEM, 201), (admin, {}, 400), (viewer, ITEM, 403)])
    asked["post", "/admin/packages"] = ("/admin/packages", None, [(admin, PACKAGE, 201), (viewer, PACKAGE, 403)])
    asked["post", "/admin/reconciliation"] = (
        "/admin/reconciliation?provider=stripe&since=2026-01-01&until=2026-02-01",
        None,
        [(viewer, "transaction,amount,currency\n", 403), (admin, "x", 415)],
    )
    return asked
