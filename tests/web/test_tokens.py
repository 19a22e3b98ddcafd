"""Tokens: only what we signed, with our algorithm, unexpired and well-formed, speaks for anyone."""

from __future__ import annotations

import base64
import time
from typing import Any

import jwt
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.errors import Code, Refusal
from server.settings import Settings
from server.web.identity import Role
from server.web.tokens import issue_token, key_id, verify

SECRET = "0123456789abcdef" * 4
SETTINGS = Settings(token_secret=SECRET, token_leeway_s=5)


def signed(claims: dict[str, Any], secret: str = SECRET, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, secret, algorithm=algorithm)


def unsigned(header: dict[str, Any], claims: dict[str, Any], signature: str = "") -> str:
    parts = [base64.urlsafe_b64encode(orjson.dumps(part)).decode().rstrip("=") for part in (header, claims)]
    return ".".join([*parts, signature])


def claims(**changes: Any) -> dict[str, Any]:
    return {"sub": "vera", "name": "Vera", "role": "viewer", "exp": int(time.time()) + 60, **changes}


def test_a_token_says_who_it_speaks_for():
    identity = verify(SETTINGS, issue_token(SETTINGS, "vera@example.org", "Vera", "creator", 60))
    assert (identity.user_id, identity.name, identity.role) == ("vera@example.org", "Vera", Role.CREATOR)
    assert (identity.room, identity.read_only) == (None, False)


def test_an_overlay_token_names_its_room_and_can_only_read():
    identity = verify(SETTINGS, issue_token(SETTINGS, "o", "O", "viewer", 60, room="r_1", read_only=True))
    assert (identity.room, identity.read_only) == ("r_1", True)


def test_a_name_is_cleaned_and_never_empty():
    assert verify(SETTINGS, signed(claims(name="\u202eev\til\u0000" + "x" * 99))).name == "ev il" + "x" * 35
    assert verify(SETTINGS, signed(claims(name="\u200b\u200b"))).name == "vera"


def test_a_clock_that_was_set_back_keeps_nobody_out():
    """The token was issued an hour from now, as the server sees it."""
    assert verify(SETTINGS, signed(claims(iat=int(time.time()) + 3600, exp=int(time.time()) + 7200))).user_id == "vera"


def test_the_leeway_forgives_a_clock_that_is_a_little_behind():
    assert verify(SETTINGS, signed(claims(exp=int(time.time()) - 2))).user_id == "vera"


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(unsigned({"alg": "none", "typ": "JWT"}, claims()), id="alg none"),
        pytest.param(unsigned({"alg": "None"}, claims()), id="alg None"),
        pytest.param(signed(claims(), secret="fedcba9876543210" * 4), id="forged"),
        pytest.param(signed(claims(), secret=SECRET * 2, algorithm="HS512"), id="another algorithm"),
        pytest.param(signed(claims(), algorithm="HS384"), id="our key, another algorithm"),
        pytest.param(signed(claims(exp=int(time.time()) - 60)), id="expired"),
        pytest.param(signed({"sub": "vera"}), id="never expires"),
        pytest.param(signed({"exp": int(time.time()) + 60}), id="of nobody"),
        pytest.param(signed(claims(nbf=int(time.time()) + 600)), id="not yet"),
        pytest.param(signed(claims(sub="")), id="empty id"),
        pytest.param(signed(claims(sub="x" * 65)), id="id of 65"),
        pytest.param(signed(claims(sub="a b")), id="id with a space"),
        pytest.param(signed(claims(sub="vera\n")), id="id with a line end"),
        pytest.param(signed(claims(sub="{w00}:shard")), id="id with braces"),
        pytest.param(signed(claims(role="root")), id="unknown role"),
        pytest.param(signed(claims(name=5)), id="name is a number"),
        pytest.param(signed(claims(room="../x")), id="room that is none"),
        pytest.param(signed(claims())[:-2], id="cut"),
        pytest.param("a.b.c", id="no base64"),
        pytest.param("", id="empty"),
        pytest.param("x" * 5000, id="huge"),
        pytest.param("…", id="not ASCII"),
        pytest.param(None, id="null"),
        pytest.param(5, id="a number"),
    ],
)
def test_any_other_token_is_unauthorized_and_the_answer_does_not_say_why(token: object):
    with pytest.raises(Refusal) as caught:
        verify(SETTINGS, token)
    assert caught.value.code is Code.UNAUTHORIZED
    assert str(caught.value) == str(Refusal(Code.UNAUTHORIZED))


@pytest.mark.parametrize(
    ("user", "role", "room"), [("a b", "viewer", None), ("a", "king", None), ("a", "viewer", "r/1")]
)
def test_no_token_is_issued_that_would_not_be_taken(user: str, role: str, room: str | None):
    with pytest.raises(ValueError, match=r"id has|not a valid Role"):
        issue_token(SETTINGS, user, "A", role, 60, room=room)


# Changing keys

NEW = "fedcba9876543210" * 4
ROTATED = Settings(token_secret=NEW, token_secrets_former=(SECRET,), token_leeway_s=5)


def test_a_token_of_a_former_key_is_still_taken_and_new_ones_are_signed_with_the_newest():
    old = issue_token(SETTINGS, "vera", "Vera", "viewer", 60)
    assert verify(ROTATED, old).user_id == "vera"
    new = issue_token(ROTATED, "vera", "Vera", "viewer", 60)
    assert jwt.get_unverified_header(new)["kid"] == key_id(NEW) != jwt.get_unverified_header(old)["kid"]
    with pytest.raises(Refusal):
        verify(SETTINGS, new)


def test_a_key_that_was_taken_out_signs_for_nobody():
    old = issue_token(SETTINGS, "vera", "Vera", "viewer", 60)
    with pytest.raises(Refusal):
        verify(Settings(token_secret=NEW), old)


@pytest.mark.parametrize("headers", [{}, {"kid": "the app's own name"}], ids=["without a kid", "with its own kid"])
def test_an_app_that_signs_with_our_keys_need_not_know_their_names(headers: dict[str, str]):
    for secret in (NEW, SECRET):
        token = jwt.encode(claims(), secret, algorithm="HS256", headers=headers)
        assert verify(ROTATED, token).user_id == "vera"
    with pytest.raises(Refusal):
        verify(ROTATED, jwt.encode(claims(), "0" * 64, algorithm="HS256", headers=headers))


def test_a_kid_of_ours_stands_for_its_own_key_alone():
    with pytest.raises(Refusal):
        verify(ROTATED, jwt.encode(claims(), SECRET, algorithm="HS256", headers={"kid": key_id(NEW)}))


def test_an_expired_token_stays_expired_whichever_key_signed_it():
    for secret in (NEW, SECRET):
        with pytest.raises(Refusal):
            verify(ROTATED, signed(claims(exp=int(time.time()) - 60), secret=secret))


@pytest.mark.parametrize(
    ("exp", "nbf", "taken"),
    [(-3, None, True), (-8, None, False), (60, 3, True), (60, 10, False)],
    ids=["over within the leeway", "over past it", "early within the leeway", "too early"],
)
def test_clocks_may_differ_by_the_leeway_and_no_more(exp: int, nbf: int | None, taken: bool):
    now = int(time.time())
    token = signed(claims(exp=now + exp) | ({} if nbf is None else {"nbf": now + nbf}))
    if taken:
        assert verify(SETTINGS, token).expires_at == now + exp + SETTINGS.token_leeway_s
    else:
        with pytest.raises(Refusal):
            verify(SETTINGS, token)


# Beside a library that others rely on

_CLAIM = st.one_of(
    st.integers(-(2**40), 2**40), st.floats(allow_nan=False), st.text(max_size=5), st.none(), st.booleans()
)
_NOW = st.integers(-100, 100).map(lambda seconds: int(time.time()) + seconds)
_CLAIMS = st.fixed_dictionaries(
    {},
    optional={
        "sub": st.sampled_from(["vera", "", 5]),
        "exp": st.one_of(_NOW, _NOW, _NOW.map(float), _CLAIM),
        "nbf": st.one_of(_NOW, _CLAIM),
        "iat": _CLAIM,
        "aud": _CLAIM,
        "name": st.text(max_size=5),
    },
)


def as_the_library_says(token: str) -> Any:
    """The claims, or None where PyJWT refuses."""
    try:
        return jwt.decode(
            token, SECRET, algorithms=["HS256"], leeway=5, options={"require": ["sub", "exp"], "verify_iat": False}
        )
    except (jwt.PyJWTError, ValueError, OverflowError):
        return None


@given(_CLAIMS, st.sampled_from([{}, {"kid": "x"}, {"typ": "x"}, {"crit": ["x"]}]), st.data())
@settings(max_examples=400, deadline=None)
def test_whatever_the_library_refuses_is_refused(says: dict[str, Any], headers: dict[str, Any], data: st.DataObject):
    """Also with a character changed, added or taken out anywhere."""
    token = jwt.encode(says, SECRET, algorithm="HS256", headers=headers)
    if data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(token)))
        token = token[:at] + data.draw(st.text("aA_-=.0 é", max_size=2)) + token[at + data.draw(st.integers(0, 2)) :]
    try:
        identity = verify(SETTINGS, token)
    except Refusal:
        identity = None
    library = as_the_library_says(token)
    if library is None:
        assert identity is None
    elif identity is not None:
        assert (identity.user_id, identity.expires_at) == (library["sub"], library["exp"] + 5)


def test_what_the_library_signs_is_taken():
    for n in range(50):
        assert verify(SETTINGS, signed(claims(name="x" * n, sub=f"v{n}"))).user_id == f"v{n}"
