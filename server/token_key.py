"""The key that signs tokens: from the settings, else the one that `serve` keeps in its data folder."""

from __future__ import annotations

import os
import secrets
from dataclasses import replace
from pathlib import Path

from server.setting import SettingsError
from server.settings import TOKEN_SECRET_CHARS_MIN, Settings
from server.start_error import StartError

FILE_NAME = "token.key"
KEY_BYTES = 48


def with_token_secret(settings: Settings, *, make: bool = False) -> Settings:
    """Return the settings with a token secret, ``make``-ing one on first use. Raises StartError."""
    if settings.token_secret:
        return settings
    path = settings.data_dir / FILE_NAME
    if make:
        _make_key(path)
    try:
        key = path.read_text(encoding="ascii").strip()
    except FileNotFoundError as error:
        raise SettingsError(
            f"GIFTSTREAM_TOKEN_SECRET must be set: there is no key of a `giftstream serve` in {settings.data_dir}"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"{path} cannot be read: {type(error).__name__}") from error
    if len(key) < TOKEN_SECRET_CHARS_MIN:
        raise StartError(f"{path} holds no key of {TOKEN_SECRET_CHARS_MIN} characters or more")
    return replace(settings, token_secret=key)


def _make_key(path: Path) -> None:
    """Write a random key, whole or not at all; one that is there stays."""
    if path.exists():
        return
    aside = path.with_name(f"{FILE_NAME}.{os.getpid()}")
    try:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        raise StartError(f"{path} cannot be written: {error.strerror}") from error
