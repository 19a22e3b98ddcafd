"""Following the creator of the room."""

from tests.economy.calls import Calls, People


def calls(people: People) -> Calls:
    viewer, creator = people.viewer, people.creator
    path = "/creators/cara/follow"
    return {
        ("put", "/creators/{user}/follow"): (
            path,
            None,
            [(viewer, None, 200), (creator, None, 403), (None, None, 401)],
        ),
        ("get", "/creators/{user}"): ("/creators/cara", None, [(viewer, None, 200), (None, None, 401)]),
        ("get", "/account/following"): ("/account/following", None, [(viewer, None, 200), (None, None, 401)]),
        ("delete", "/creators/{user}/follow"): (path, None, [(viewer, None, 200), (None, None, 401)]),
    }
