"""Packages, purchases, receipts, notifications, and the sandbox."""

from tests.economy.calls import Calls, People


def calls(people: People) -> Calls:
    viewer = people.viewer
    order = {"package": "web_100", "version": 1, "method": "card"}
    return {
        ("get", "/packages"): ("/packages?platform=web&region=PT", None, [(None, None, 200), (viewer, None, 200)]),
        ("get", "/packages/{package}"): (
            "/packages/web_custom?coins=500&region=PT",
            None,
            [(None, None, 200), (viewer, None, 200)],
        ),
        ("post", "/purchases"): (
            "/purchases",
            None,
            [
                (viewer, order, 201),
                (viewer, order | {"method": "cash"}, 400),
                (viewer, order | {"package": "web_50000"}, 403),
                (viewer, order | {"package": "none"}, 404),
                (viewer, order | {"version": 9}, 409),
                (None, order, 401),
            ],
        ),
        ("get", "/purchases"): ("/purchases", None, [(viewer, None, 200), (None, None, 401)]),
        ("get", "/purchases/{purchase}"): ("/purchases/p_none", None, [(viewer, None, 404), (None, None, 401)]),
        ("post", "/purchases/{purchase}/checkout"): (
            "/purchases/p_none/checkout",
            None,
            [(viewer, None, 404), (None, None, 401)],
        ),
        ("post", "/receipts"): (
            "/receipts",
            None,
            [(viewer, {"package": "ios_70", "receipt": "x"}, 404), (viewer, {}, 400), (None, {}, 401)],
        ),
        ("post", "/webhooks/{provider}"): ("/webhooks/sandbox", None, [(None, {}, 401)]),
        ("get", "/sandbox/payments/{purchase}"): ("/sandbox/payments/p_none", None, [(None, None, 404)]),
        ("post", "/sandbox/payments/{purchase}"): (
            "/sandbox/payments/p_none",
            None,
            [(None, {"outcome": "success"}, 404), (None, {"outcome": "flood"}, 400), (None, {}, 400)],
        ),
    }
