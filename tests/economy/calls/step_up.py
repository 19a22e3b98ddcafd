"""Step-up confirmation, for somebody without an authenticator app."""

from tests.economy.calls import Calls, People


def calls(people: People) -> Calls:
    viewer, root = people.viewer, "/account/step-up"
    code, confirmation = {"code": "000000"}, {"confirmation": "none"}
    return {
        ("get", root): (root, None, [(viewer, None, 200), (None, None, 401)]),
        ("post", f"{root}/confirmations"): (f"{root}/confirmations", None, [(viewer, code, 403), (viewer, {}, 400)]),
        ("post", f"{root}/enrolment"): (f"{root}/enrolment", None, [(viewer, code, 409), (viewer, {}, 400)]),
        ("post", root): (root, None, [(viewer, {}, 201), (None, {}, 401)]),
        ("post", f"{root}/recovery-codes"): (f"{root}/recovery-codes", None, [(viewer, confirmation, 403)]),
        ("post", f"{root}/removal"): (f"{root}/removal", None, [(viewer, confirmation, 403), (viewer, {}, 400)]),
    }
