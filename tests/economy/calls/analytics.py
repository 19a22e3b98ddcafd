"""A creator's analytics."""

from tests.economy.calls import Calls, People


def calls(people: People) -> Calls:
    creator, root = people.creator, "/creator/analytics"
    asked: Calls = {}
    for path in ("", "/rooms", "/gifts", "/gifters", "/rooms.csv", "/gifts.csv", "/gifters.csv", "/hours.csv"):
        asked["get", root + path] = (root + path, None, [(creator, None, 200), (None, None, 401)])
    return asked
