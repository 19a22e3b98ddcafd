"""A viewer's history."""

from tests.economy.calls import Calls, People


def calls(people: People) -> Calls:
    viewer = people.viewer
    asked: Calls = {
        ("get", f"/wallet/{name}"): (f"/wallet/{name}", None, [(viewer, None, 200), (None, None, 401)])
        for name in ("movements", "movements.csv", "spending")
    }
    asked["get", "/wallet/trace/{reference}"] = (
        "/wallet/trace/credit-1",
        None,
        [(viewer, None, 200), (None, None, 401)],
    )
    return asked
