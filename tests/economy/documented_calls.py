"""Calls of the economy with an attempt for each status that its documentation promises first: (token, body, status)."""

from __future__ import annotations

from typing import Any

Attempt = tuple[str | None, Any, int]
Calls = dict[tuple[str, str], tuple[str, Any, list[Attempt]]]


def step_up_calls(viewer: str) -> Calls:
    """Of a viewer without an authenticator app; the code is wrong."""
    root = "/account/step-up"
    code, confirmation = {"code": "000000"}, {"confirmation": "none"}
    return {
        ("get", root): (root, None, [(viewer, None, 200), (None, None, 401)]),
        ("post", f"{root}/confirmations"): (f"{root}/confirmations", None, [(viewer, code, 403), (viewer, {}, 400)]),
        ("post", f"{root}/enrolment"): (f"{root}/enrolment", None, [(viewer, code, 409), (viewer, {}, 400)]),
        ("post", root): (root, None, [(viewer, {}, 201), (None, {}, 401)]),
        ("post", f"{root}/recovery-codes"): (f"{root}/recovery-codes", None, [(viewer, confirmation, 403)]),
        ("post", f"{root}/removal"): (f"{root}/removal", None, [(viewer, confirmation, 403), (viewer, {}, 400)]),
    }
