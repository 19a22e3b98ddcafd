"""The notices feed."""

from tests.economy.calls import Calls, People


def calls(people: People) -> Calls:
    viewer = people.viewer
    return {
        ("get", "/notices"): ("/notices", None, [(viewer, None, 200), (None, None, 401)]),
        ("post", "/notices/read"): (
            "/notices/read",
            None,
            [(viewer, {"up_to": "7"}, 200), (viewer, {"up_to": 7}, 400), (None, {"up_to": "7"}, 401)],
        ),
    }
