"""Items, what is bought with them, and tickets."""

from tests.economy.calls import Calls, People


def calls(people: People) -> Calls:
    viewer, room = people.viewer, f"/rooms/{people.room}"
    sticker, upgrade = {"item": "sticker_clap"}, {"item": "badge_note"}
    return {
        ("get", "/items"): ("/items", None, [(None, None, 200)]),
        ("post", "/rooms/{room}/spend"): (
            f"{room}/spend",
            None,
            [
                (viewer, sticker, 201),
                (viewer, {"item": "nosuch"}, 404),
                (viewer, {"item": "highlight_sky"}, 400),
                (people.creator, sticker, 403),
                (people.admin, sticker, 402),
                (viewer, {}, 400),
                (None, sticker, 401),
            ],
        ),
        ("post", "/spend"): ("/spend", None, [(viewer, upgrade, 201), (viewer, sticker, 404), (None, upgrade, 401)]),
        ("get", "/rooms/{room}/ticket"): (f"{room}/ticket", None, [(viewer, None, 404), (None, None, 401)]),
        ("delete", "/rooms/{room}/shown/{gift}"): (
            f"{room}/shown/w00-1-1",
            None,
            [(people.creator, None, 200), (viewer, None, 403), (None, None, 401)],
        ),
        ("get", "/rooms/{room}/placements"): (f"{room}/placements", None, [(viewer, None, 200), (None, None, 401)]),
    }
