"""The key that signs tokens: from the settings, else the one that `serve` keeps in its data folder.

The file holds the key on its first line. To change keys put a new one above it: the lines below still verify.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import replace
from pathlib import Path

from server.setting import SettingsError
from server.settings import TOKEN_SECRET_CHARS_MIN, TOKEN_SECRETS_FORMER_MAX, Settings
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
        lines = path.read_text(encoding="ascii").splitlines()
    except FileNotFoundError as error:
        raise SettingsError(
            f"GIFTSTREAM_TOKEN_SECRET must be set: there is no key of a `giftstream serve` in {settings.data_dir}"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"{path} cannot be read: {type(error).__name__}") from error
    key, *former = [line.strip() for line in lines if line.strip()] or [""]
    if any(len(each) < TOKEN_SECRET_CHARS_MIN for each in (key, *former)):
        raise StartError(f"{path} holds no key of {TOKEN_SECRET_CHARS_MIN} characters or more")
    if len(former) > TOKEN_SECRETS_FORMER_MAX:
        raise StartError(f"{path} holds more than {TOKEN_SECRETS_FORMER_MAX} former keys")
    return replace(settings, token_secret=key, token_secrets_former=(*former, *settings.token_secrets_former))


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
