"""Where no token secret is set, `serve` makes one, once, and keeps it to itself."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from server.setting import SettingsError
from server.settings import Settings
from server.start_error import StartError
from server.token_key import with_token_secret
from tests.conftest import TOKEN_SECRET


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    made = with_token_secret(Settings(data_dir=tmp_path), make=True).token_secret
    again = with_token_secret(Settings(data_dir=tmp_path), make=True).token_secret
    found = with_token_secret(Settings(data_dir=tmp_path)).token_secret
    assert made == again == found
    assert len(made) >= 64
    assert stat.S_IMODE((tmp_path / "token.key").stat().st_mode) == 0o600


def test_two_folders_have_different_keys(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        folder.mkdir()
    keys = {with_token_secret(Settings(data_dir=folder), make=True).token_secret for folder in folders}
    assert len(keys) == 2


def test_a_secret_that_is_set_is_used_and_none_is_made(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, token_secret=TOKEN_SECRET)
    assert with_token_secret(settings, make=True).token_secret == TOKEN_SECRET
    assert not (tmp_path / "token.key").exists()


def test_without_secret_and_key_the_variable_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="GIFTSTREAM_TOKEN_SECRET must be set"):
        with_token_secret(Settings(data_dir=tmp_path))


def test_a_key_file_cut_short_is_refused(tmp_path: Path) -> None:
    (tmp_path / "token.key").write_text("short\n")
    with pytest.raises(StartError, match="no key of 32 characters"):
        with_token_secret(Settings(data_dir=tmp_path), make=True)


def test_a_new_key_above_the_old_one_signs_and_the_old_one_is_still_known(tmp_path: Path) -> None:
    old = with_token_secret(Settings(data_dir=tmp_path), make=True).token_secret
    (tmp_path / "token.key").write_text(f"{'n' * 40}\n{old}\n")
    settings = with_token_secret(Settings(data_dir=tmp_path), make=True)
    assert (settings.token_secret, settings.token_secrets_former) == ("n" * 40, (old,))


def test_a_former_key_cut_short_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / "token.key").write_text(f"{'n' * 40}\nshort\n")
    with pytest.raises(StartError, match="no key of 32 characters"):
        with_token_secret(Settings(data_dir=tmp_path))
