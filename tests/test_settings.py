"""Settings come from flags, the environment, a .env file, in this order; a wrong one is one line that names it."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from server.dotenv import DotenvError, read_dotenv
from server.setting import SettingsError, variable
from server.settings import Settings, load_settings, markdown_table, unknown_variables
from tests.conftest import TOKEN_SECRET


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_any_variable_every_setting_has_its_default(folder: Path) -> None:
    settings = load_settings({})
    assert (settings.port, settings.wallet_shards, settings.tick_ms, settings.demo) == (8080, 16, 100, False)
    assert settings.data_dir == folder / ".giftstream"
    assert settings.worker_id


def test_a_flag_wins_over_the_environment_and_that_over_the_dotenv_file(folder: Path) -> None:
    (folder / ".env").write_text("GIFTSTREAM_PORT=1001\nGIFTSTREAM_HOST=::1\nGIFTSTREAM_TICK_MS=50\n")
    settings = load_settings({"GIFTSTREAM_PORT": "1002", "GIFTSTREAM_HOST": "0.0.0.0"}, given={"port": "1003"})
    assert (settings.port, settings.host, settings.tick_ms) == (1003, "0.0.0.0", 50)


def test_an_empty_value_means_the_default(folder: Path) -> None:
    (folder / ".env").write_text("GIFTSTREAM_PORT=1001\n")
    assert load_settings({"GIFTSTREAM_PORT": ""}).port == 8080


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("GIFTSTREAM_PORT", "http", "a whole number from 0 to 65535, not 'http'"),
        ("GIFTSTREAM_PORT", "65536", "a whole number from 0 to 65535, not '65536'"),
        ("GIFTSTREAM_GATEWAYS", "0", "a whole number from 1 to 256, not '0'"),
        ("GIFTSTREAM_TICK_MS", "1.5", "a whole number from 10 to 10000, not '1.5'"),
        ("GIFTSTREAM_GIFTS_PER_SECOND", "nan", "a number, 0.01 or more, not 'nan'"),
        ("GIFTSTREAM_DEMO", "maybe", "one of 1, 0, true, false, yes, no, on, off, not 'maybe'"),
        ("GIFTSTREAM_LOG_LEVEL", "loud", "one of auto, debug, info, warning, error, not 'loud'"),
        ("GIFTSTREAM_ALLOWED_ORIGINS", "example.org", "origins like https://example.org"),
        ("REDIS_URL", "http://user:hunter2@host", "a URL that starts with redis://"),
        ("DATABASE_URL", "mysql://user:hunter2@host/x", "a URL that starts with postgresql://"),
        ("GIFTSTREAM_TOKEN_SECRET", "hunter2", "at least 32 characters long"),
        ("GIFTSTREAM_TOKEN_SECRETS_FORMER", f"{TOKEN_SECRET},hunter2", "at most 8 keys of 32 characters or more"),
        ("GIFTSTREAM_TOKEN_SECRETS_FORMER", ",".join(["hunter2" * 5] * 9), "at most 8 keys of 32 characters or more"),
        ("GIFTSTREAM_JWKS_URL", "http://id.example/keys", "a URL that starts with https:// or file:///"),
        ("GIFTSTREAM_JWKS_URL", "http://127.0.0.1@evil.example/keys", "a URL that starts with https:// or file:///"),
        ("GIFTSTREAM_JWKS_URL", "file://keys.json", "a URL that starts with https:// or file:///"),
        ("GIFTSTREAM_SEND_BUFFER_HARD_BYTES", "4096", "greater than GIFTSTREAM_SEND_BUFFER_SOFT_BYTES"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_the_variable_and_no_secret(
    folder: Path, name: str, value: str, wanted: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({name: value})
    message = str(caught.value)
    assert message.startswith(f"{name} must be ")
    assert wanted in message
    assert "\n" not in message
    assert "hunter2" not in message
    assert caught.value.exit_code == 2


def test_secrets_are_not_in_the_repr() -> None:
    shown = repr(
        Settings(
            token_secret=TOKEN_SECRET,
            token_secrets_former=("former" * 6,),
            redis_url="redis://:hunter2@h",
            database_url="postgresql://u:p4@h",
        )
    )
    assert not any(secret in shown for secret in (TOKEN_SECRET, "former", "hunter2", "p4@"))


def test_a_child_process_gets_the_same_settings_through_its_environment(folder: Path) -> None:
    (folder / ".env").write_text("GIFTSTREAM_TICK_MS=50\n")
    settings = load_settings(
        {"GIFTSTREAM_ALLOWED_ORIGINS": "https://a.example, https://b.example:8443", "GIFTSTREAM_DEMO": "yes"}
    )
    (folder / ".env").write_text("GIFTSTREAM_TICK_MS=70\nGIFTSTREAM_PORT=1\n")
    assert load_settings(settings.as_environ()) == settings
    assert settings.allowed_origins == ("https://a.example", "https://b.example:8443")


def test_a_misspelt_variable_is_noticed() -> None:
    assert list(unknown_variables({"GIFTSTREAM_PROT": "1", "GIFTSTREAM_PORT": "1", "HOME": "/"})) == ["GIFTSTREAM_PROT"]


def test_the_table_names_every_variable_once_and_shows_no_machine() -> None:
    lines = markdown_table().splitlines()[2:]
    assert [line.split("`")[1] for line in lines] == [variable(field) for field in fields(Settings)]
    assert all(line.count("|") == 4 and line.split("|")[3].strip() for line in lines)


def test_a_dotenv_file_may_hold_comments_quotes_and_export(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("# a comment\n\nexport A = one\nB='two # not a comment'\nC=three # a comment\nD=\"\"\nE=a=b#c\n")
    assert read_dotenv(path) == {"A": "one", "B": "two # not a comment", "C": "three", "D": "", "E": "a=b#c"}


def test_a_wrong_line_in_a_dotenv_file_is_named_and_its_content_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("A=1\nhunter2\n")
    with pytest.raises(DotenvError, match="line 2: expected NAME=value") as caught:
        read_dotenv(path)
    assert "hunter2" not in str(caught.value)
