"""Boards and levels."""

from tests.economy.calls import Calls, People


def calls(people: People) -> Calls:
    viewer = people.viewer
    return {
        ("get", "/boards/{board}"): (
            "/boards/gifters",
            None,
            [(None, None, 200), (viewer, None, 200), ("nonsense", None, 401)],
        ),
        ("get", "/gifter"): ("/gifter", None, [(viewer, None, 200), (None, None, 401)]),
    }
