"""A creator's statements."""

from tests.economy.calls import Calls, People


def calls(people: People) -> Calls:
    creator, root = people.creator, "/creator/statements"
    asked: Calls = {("get", root): (root, None, [(creator, None, 200), (None, None, 401)])}
    for ending in ("csv", "pdf"):
        path = f"{root}/2026-01.{ending}"
        asked["get", f"{root}/{{month}}.{ending}"] = (path, None, [(creator, None, 200), (None, None, 401)])
    return asked
