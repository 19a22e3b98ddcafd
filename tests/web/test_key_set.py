"""Tokens of an identity provider: taken with the provider's own keys and algorithms, whatever else a token says."""

from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import Any

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives import serialization

from server.domain.errors import Code, Refusal
from server.settings import Settings
from server.web import key_set as key_set_module
from server.web.close_codes import CloseCode
from server.web.identity import Role
from server.web.key_set import KeySet
from server.web.key_source import DOCUMENT_BYTES_MAX, KEYS_MAX, KeySourceError, fetch_keys, read_keys
from server.web.token_checker import TokenChecker
from server.web.tokens import issue_token
from tests.conftest import TOKEN_SECRET
from tests.web.conftest import StartGateway
from tests.web.key_server import AUDIENCE, ISSUER, KeyServer, Signer, key_server

SETTINGS = Settings(token_secret=TOKEN_SECRET, token_leeway_s=5, jwks_issuer=ISSUER, jwks_audience=AUDIENCE)
RSA, EC, ED = Signer("rsa-1", "RS256"), Signer("ec-1", "ES256"), Signer("ed-1", "EdDSA")


def checker(server: KeyServer, settings: Settings = SETTINGS) -> TokenChecker:
    return TokenChecker(settings, KeySet(server.url))


async def refused(tokens: TokenChecker, token: object) -> Code:
    with pytest.raises(Refusal) as caught:
        await tokens.verify(token)
    assert str(caught.value) == str(Refusal(caught.value.code))
    return caught.value.code


@pytest.fixture
def asks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the pause between two fetches."""
    monkeypatch.setattr(key_set_module, "ASK_AGAIN_S", 0.0)


async def test_each_of_the_three_algorithms_speaks_for_its_user():
    async with key_server(RSA, EC, ED) as server:
        tokens = checker(server)
        for signer in (RSA, EC, ED):
            identity = await tokens.verify(signer.token(sub=f"user-{signer.kid}", name="Vera"))
            assert (identity.user_id, identity.name, identity.role) == (f"user-{signer.kid}", "Vera", Role.VIEWER)
        assert server.asked == 1


async def test_our_own_tokens_are_taken_beside_them():
    async with key_server(RSA) as server:
        identity = await checker(server).verify(issue_token(SETTINGS, "cara", "Cara", "admin", 60))
        assert (identity.user_id, identity.role) == ("cara", Role.ADMIN)
        assert server.asked == 0


async def test_a_provider_makes_creators_and_never_admins():
    async with key_server(RSA) as server:
        tokens = checker(server)
        for given, role in (
            ("creator", Role.CREATOR),
            ("admin", Role.VIEWER),
            ("editor", Role.VIEWER),
            (["admin"], Role.VIEWER),
        ):
            assert (await tokens.verify(RSA.token(role=given))).role is role


def confused(server: KeyServer) -> list[tuple[str, str]]:
    """Tokens that try to have a key used with another algorithm."""
    public = RSA.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    claims = {"sub": "vera", "iss": ISSUER, "aud": AUDIENCE, "exp": int(time.time()) + 60}

    def encoded(part: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(orjson.dumps(part)).decode().rstrip("=")

    def hmac_with(key: bytes, alg: str = "HS256") -> str:
        signing = jwt.get_algorithm_by_name("HS256")
        head = f"{encoded({'alg': alg, 'kid': 'rsa-1', 'typ': 'JWT'})}.{encoded(claims)}"
        return f"{head}.{base64.urlsafe_b64encode(signing.sign(head.encode(), key)).decode().rstrip('=')}"

    return [
        ("the public key as a shared secret", hmac_with(public)),
        ("the modulus as a shared secret", hmac_with(server.keys[0]["n"].encode())),
        ("our secret, said to be RS256", hmac_with(TOKEN_SECRET.encode(), "RS256")),
        ("no signature", f"{encoded({'alg': 'none', 'kid': 'rsa-1'})}.{encoded(claims)}."),
        ("another algorithm of the same key", jwt.encode(claims, RSA.key, "RS512", headers={"kid": "rsa-1"})),
        ("padding of another kind", jwt.encode(claims, RSA.key, "PS256", headers={"kid": "rsa-1"})),
        ("another key's name", RSA.token(headers={"kid": "ec-1"})),
        ("an address of one's own keys", Signer("x", "RS256").token(headers={"kid": "x", "jku": server.url})),
        ("one's own key in the header", Signer("x", "ES256").token(headers={"jwk": Signer("x", "ES256").jwk()})),
        ("a key of the same name", Signer("rsa-1", "RS256").token()),
        ("a kid that is no text", RSA.token(headers={"kid": "../../etc/passwd"})),
    ]


async def test_no_token_chooses_its_own_key_or_algorithm():
    async with key_server(RSA, EC) as server:
        tokens = checker(server)
        assert (await tokens.verify(RSA.token())).user_id == "vera"
        for what, token in confused(server):
            assert await refused(tokens, token) is Code.UNAUTHORIZED, what


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "another-app"},
        {"aud": None},
        {"aud": ["another-app"]},
        {"exp": 1},
        {"exp": None},
        {"sub": None},
        {"sub": "a b"},
        {"nbf": 2**40},
        {"room": "../x"},
    ],
)
async def test_issuer_audience_time_and_user_must_be_right(changes: dict[str, Any]):
    async with key_server(RSA) as server:
        assert await refused(checker(server), RSA.token(**changes)) is Code.UNAUTHORIZED


async def test_without_an_audience_of_ours_a_token_for_somebody_else_is_not_taken():
    async with key_server(RSA) as server:
        tokens = checker(server, Settings(token_secret=TOKEN_SECRET))
        assert (await tokens.verify(RSA.token(aud=None, iss="https://any.example"))).user_id == "vera"
        assert await refused(tokens, RSA.token()) is Code.UNAUTHORIZED


async def test_a_token_without_a_kid_means_the_only_key():
    async with key_server(RSA, EC) as server:
        tokens = checker(server)
        token = jwt.encode(
            {"sub": "v", "iss": ISSUER, "aud": AUDIENCE, "exp": time.time() + 60}, RSA.key, algorithm="RS256"
        )
        assert (await tokens.verify(token)).user_id == "v"
        server.keys.append(Signer("rsa-2", "RS256").jwk())
        assert await refused(checker(server), token) is Code.UNAUTHORIZED


async def test_a_new_key_is_found_by_its_first_token(asks_at_once: None):
    async with key_server(RSA) as server:
        tokens = checker(server)
        await tokens.verify(RSA.token())
        server.keys = [EC.jwk()]
        assert (await tokens.verify(EC.token())).user_id == "vera"
        assert server.asked == 2
        assert await refused(tokens, RSA.token()) is Code.UNAUTHORIZED  # the provider took it back


async def test_unknown_keys_do_not_make_us_ask_again_and_again():
    async with key_server(RSA) as server:
        tokens = checker(server)
        await tokens.verify(RSA.token())
        for number in range(50):
            unknown = RSA.token(headers={"kid": f"unknown-{number}"})
            assert await refused(tokens, unknown) is Code.UNAUTHORIZED
        assert server.asked == 1


async def test_a_provider_that_is_away_logs_nobody_out(asks_at_once: None):
    async with key_server(RSA) as server:
        tokens = checker(server)
        await tokens.verify(RSA.token())
        server.status = 503
        assert await refused(tokens, EC.token()) is Code.UNAVAILABLE  # and not "your token is wrong"
        assert (await tokens.verify(RSA.token())).user_id == "vera"
        server.status, server.keys = 200, [RSA.jwk(), EC.jwk()]
        assert (await tokens.verify(EC.token())).user_id == "vera"


async def test_keys_are_not_held_for_ever(monkeypatch: pytest.MonkeyPatch, asks_at_once: None):
    async with key_server(RSA) as server:
        tokens = checker(server)
        await tokens.verify(RSA.token())
        server.status = 503
        monkeypatch.setattr(key_set_module, "KEPT_S", -1.0)
        assert await refused(tokens, RSA.token()) is Code.UNAVAILABLE


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keys": 5}',
        b'{"keys": []}',
        b"[" * 100_000,
        b'{"keys": [{"kty": "RSA"}, 5, null, {"kty": ["RSA"]}]}',
        b" " * (DOCUMENT_BYTES_MAX + 1),
        orjson.dumps({"keys": [RSA.jwk(kid=str(number)) for number in range(KEYS_MAX + 1)]}),
    ],
    ids=["empty", "list", "object", "no list", "no keys", "deep", "junk", "huge", "many"],
)
async def test_what_is_no_key_set_changes_nothing(answer: bytes, asks_at_once: None):
    async with key_server(RSA) as server:
        tokens = checker(server)
        await tokens.verify(RSA.token())
        server.body = answer
        assert await refused(tokens, EC.token()) is Code.UNAVAILABLE
        assert (await tokens.verify(RSA.token())).user_id == "vera"


async def test_a_redirect_is_not_followed():
    async with key_server(RSA) as server:
        server.status = 302
        with pytest.raises(KeySourceError, match="302"):
            await fetch_keys(server.url)


def test_keys_for_something_else_are_left_out():
    secret = {"kty": "oct", "k": base64.urlsafe_b64encode(b"x" * 32).decode(), "alg": "HS256"}
    entries = [
        RSA.jwk(),
        EC.jwk(use="enc"),
        ED.jwk(alg="HS256"),
        secret,
        {**secret, "alg": "RS256"},
        Signer("weak", "RS256", bits=1024).jwk(),
        RSA.jwk(alg="RS512", kid="rsa-512"),
        RSA.jwk(alg="PS256", kid="rsa-pss"),
        EC.jwk(kid="private", d=orjson.loads(jwt.get_algorithm_by_name("ES256").to_jwk(EC.key))["d"]),
        EC.jwk(kid=5),
        EC.jwk(kid="y" * 300),
        {"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA", "kid": "curve"},
    ]
    assert list(read_keys(orjson.dumps({"keys": entries}))) == [("rsa-1", "RS256")]


async def test_keys_may_stand_in_a_file(tmp_path: Path):
    path = tmp_path / "my keys.json"
    path.write_bytes(orjson.dumps({"keys": [ED.jwk()]}))
    tokens = TokenChecker(SETTINGS, KeySet(path.as_uri()))
    assert (await tokens.verify(ED.token())).user_id == "vera"


async def test_a_gateway_takes_them_on_the_socket_and_over_http(start_gateway: StartGateway):
    async with key_server(ED) as server:
        gateway = await start_gateway(jwks_url=server.url, jwks_issuer=ISSUER, jwks_audience=AUDIENCE)
        room = await gateway.open_room()
        client = await gateway.enter(ED.token(sub="vera"), room)
        assert (await gateway.get("/wallet", ED.token()))[0] == 200
        assert (await gateway.get("/wallet", EC.token()))[0] == 401
        stranger = await gateway.connect()
        await stranger.send(type="hello", token=ED.token(aud="another-app"))
        assert (await stranger.closed())[0] == CloseCode.UNAUTHORIZED
        assert (await gateway.get("/wallet", ED.token(role="admin"), limit=1))[0] == 200
        assert (await gateway.post(f"/rooms/{room}/end", {}, ED.token(role="admin")))[0] == 403
        await client.silent("error")


async def test_while_the_keys_are_away_a_socket_is_told_to_come_back(start_gateway: StartGateway):
    async with key_server(ED) as server:
        server.status = 503
        gateway = await start_gateway(jwks_url=server.url, jwks_issuer=ISSUER, jwks_audience=AUDIENCE)
        client = await gateway.connect()
        await client.send(type="hello", token=ED.token())
        assert (await client.closed())[0] == CloseCode.RESTART
        assert (await gateway.get("/wallet", ED.token()))[0] == 503
        assert (await gateway.get("/wallet", gateway.token("walt")))[0] == 200
