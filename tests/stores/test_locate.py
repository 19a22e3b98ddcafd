"""A command uses the stores of its settings, else those of the `serve` that runs on its data folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from server.settings import Settings
from server.start_error import StartError
from server.stores.data_folder import Running, remove_note, running_serve, take_data_folder, write_note
from server.stores.locate import with_stores

NOTE = Running(
    4711, "http://127.0.0.1:1", "unix:///run/valkey.sock", "postgresql://giftstream@/giftstream", {"worker": 1}
)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A data folder with a note, locked as a running `serve` has it."""
    folder = tmp_path / "data"
    lock = take_data_folder(folder)
    write_note(folder, NOTE)
    yield folder
    os.close(lock)


def test_urls_that_are_set_are_used(folder: Path) -> None:
    settings = Settings(redis_url="redis://r", database_url="postgresql://d", data_dir=folder)
    assert with_stores(settings) == settings


def test_urls_that_are_not_set_are_those_of_the_running_serve(folder: Path) -> None:
    settings = Settings(data_dir=folder)
    found = with_stores(settings)
    assert (found.redis_url, found.database_url) == (NOTE.redis_url, NOTE.database_url)
    mixed = with_stores(replace(settings, redis_url="redis://r"))
    assert (mixed.redis_url, mixed.database_url) == ("redis://r", NOTE.database_url)


def test_a_note_left_by_a_serve_that_was_killed_does_not_count(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    os.close(take_data_folder(folder))
    write_note(folder, NOTE)
    assert running_serve(folder) is None
    with pytest.raises(StartError, match="DATABASE_URL is not set, and no giftstream serve runs"):
        with_stores(Settings(data_dir=folder, redis_url="redis://r"))


def test_the_note_is_for_its_owner_alone_and_removed(folder: Path) -> None:
    assert stat.S_IMODE((folder / "run.json").stat().st_mode) == 0o600
    assert running_serve(folder) == NOTE
    remove_note(folder)
    remove_note(folder)
    assert running_serve(folder) is None


def test_a_data_folder_has_one_serve_at_a_time(folder: Path) -> None:
    with pytest.raises(StartError, match=r"another giftstream serve \(pid 4711\) runs on"):
        take_data_folder(folder)


def test_a_data_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match="cannot be used as data folder"):
        take_data_folder(tmp_path / "file" / "data")
