"""Each command says in one line why it cannot run, and `--help` names what there is."""

from __future__ import annotations

from pathlib import Path

import jwt
import pytest

from server.__main__ import main
from tests.conftest import TOKEN_SECRET


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    assert all(f"\n    {name} " in shown for name in ("serve", "gateway", "worker", "migrate", "audit", "token"))


@pytest.mark.parametrize(
    ("command", "missing"),
    [
        ("gateway", "REDIS_URL and DATABASE_URL are"),
        ("worker", "REDIS_URL and DATABASE_URL are"),
        ("audit", "REDIS_URL and DATABASE_URL are"),
        ("migrate", "DATABASE_URL is"),
    ],
)
def test_without_stores_a_command_says_which_variables_are_missing(
    command: str, missing: str, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    assert main([command]) == 1
    said = capsys.readouterr().err
    assert said == (
        f"giftstream: {missing} not set, and no giftstream serve runs on {folder}/.giftstream (--data-dir)\n"
    )


def test_a_wrong_setting_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIFTSTREAM_TICK_MS", "fast")
    assert main(["serve"]) == 2
    said = capsys.readouterr().err
    assert said == "giftstream: GIFTSTREAM_TICK_MS must be a whole number from 10 to 10000, not 'fast'\n"


def test_a_wrong_flag_names_its_variable(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--port", "-1"]) == 2
    assert "GIFTSTREAM_PORT must be a whole number from 0 to 65535" in capsys.readouterr().err


def test_a_misspelt_variable_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIFTSTREAM_PROT", "1")
    monkeypatch.setenv("GIFTSTREAM_TOKEN_SECRET", TOKEN_SECRET)
    assert main(["token", "--user", "u1"]) == 0
    assert capsys.readouterr().err == "giftstream: GIFTSTREAM_PROT is not a setting; is it misspelt?\n"


def test_a_gateway_with_urls_of_its_own_needs_the_token_secret(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/x")
    assert main(["gateway"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("giftstream: GIFTSTREAM_TOKEN_SECRET must be set: ")
    assert said.count("\n") == 1


def test_a_token_says_who_which_role_and_until_when(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIFTSTREAM_TOKEN_SECRET", TOKEN_SECRET)
    assert main(["token", "--user", "u1", "--name", "Ann", "--role", "creator", "--ttl", "60"]) == 0
    claims = jwt.decode(capsys.readouterr().out.strip(), TOKEN_SECRET, algorithms=["HS256"])
    assert (claims["sub"], claims["name"], claims["role"], claims["exp"] - claims["iat"]) == (
        "u1",
        "Ann",
        "creator",
        60,
    )


@pytest.mark.parametrize("flags", [["--ttl", "0"], ["--ttl", "soon"], ["--role", "king"], []])
def test_wrong_flags_of_token_are_a_usage_error(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    user = ["--user", "u1"] if flags else []
    with pytest.raises(SystemExit) as caught:
        main(["token", *user, *flags])
    assert caught.value.code == 2
    assert "usage: giftstream token" in capsys.readouterr().err


def test_a_user_id_that_no_token_may_carry_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIFTSTREAM_TOKEN_SECRET", TOKEN_SECRET)
    assert main(["token", "--user", "u 1"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("giftstream: a user id has ")
    assert said.count("\n") == 1
