"""Cash-out, by a creator who earned nothing and is nobody's favourite yet; in demo mode."""

from tests.economy.calls import Calls, People


def calls(people: People) -> Calls:
    creator, admin = people.creator, people.admin
    account = {"kind": "paypal", "holder": "Cara", "destination": "cara@example.org"}
    payout = {"method": "pm_none", "diamonds": 2000, "confirmation": "none"}
    return {
        ("get", "/creator/cash-out"): ("/creator/cash-out", None, [(creator, None, 200), (None, None, 401)]),
        ("post", "/creator/payout-methods"): (
            "/creator/payout-methods",
            None,
            [(creator, account, 201), (creator, {**account, "destination": "cara"}, 400), (None, account, 401)],
        ),
        ("delete", "/creator/payout-methods/{method}"): (
            "/creator/payout-methods/pm_none",
            None,
            [(creator, None, 404)],
        ),
        ("post", "/creator/payouts"): (
            "/creator/payouts",
            None,
            [(creator, payout, 403), (creator, {}, 400), (None, payout, 401)],
        ),
        ("get", "/creator/payouts"): ("/creator/payouts", None, [(creator, None, 200), (None, None, 401)]),
        ("get", "/creator/payouts/{payout}"): ("/creator/payouts/po_none", None, [(creator, None, 404)]),
        ("get", "/admin/payouts"): ("/admin/payouts", None, [(admin, None, 200), (creator, None, 403)]),
        ("post", "/admin/payouts/{payout}/approval"): ("/admin/payouts/po_none/approval", None, [(admin, None, 404)]),
        ("post", "/admin/payouts/{payout}/refusal"): (
            "/admin/payouts/po_none/refusal",
            None,
            [(admin, {"reason": "No."}, 404), (admin, {}, 400), (creator, {"reason": "No."}, 403)],
        ),
    }
