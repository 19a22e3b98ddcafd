"""One setting: how it is described, and how its text becomes a value or one line that says what is wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import Field, field
from pathlib import Path
from typing import Any, TypeVar

from server.start_error import StartError

T = TypeVar("T")


class SettingsError(StartError):
    """A setting has a wrong value; the message is one line that names the variable."""

    exit_code = 2


def setting(
    default: T,
    meaning: str,
    *,
    env: str = "",
    least: float | None = None,
    most: float | None = None,
    one_of: tuple[str, ...] = (),
    check: Callable[[Any], str] | None = None,
    secret: bool = False,
    shown: str = "",
) -> T:
    """Describe a field of ``Settings``.

    ``env`` names a variable other than GIFTSTREAM_<NAME>; ``check`` returns what the value must be, or an empty string
    if it is right; a ``secret`` is repeated in no message and no repr; ``shown`` stands for the default in the table.
    """
    about = {
        "meaning": meaning,
        "env": env,
        "least": least,
        "most": most,
        "one_of": one_of,
        "check": check,
        "secret": secret,
        "shown": shown,
    }
    made: T = field(default=default, repr=not secret, metadata=about)
    return made


def variable(of: Field[Any]) -> str:
    """Name the environment variable of a setting."""
    return of.metadata["env"] or f"GIFTSTREAM_{of.name.upper()}"


def read_value(of: Field[Any], text: str) -> Any:
    """Turn a variable's text into the setting's type. Raises SettingsError."""
    kind = str(of.type)
    try:
        value = _PARSERS[kind](text)
        wanted = _wanted(of.metadata, kind, value)
    except ValueError:
        wanted = _KINDS[kind] + _limits(of.metadata)
    if wanted:
        got = "" if of.metadata["secret"] else f", not {text[:80]!r}"
        raise SettingsError(f"{variable(of)} must be {wanted}{got}")
    return value


def write_value(value: Any) -> str:
    """Write a value so that ``read_value`` reads it back."""
    if isinstance(value, bool):
        return "1" if value else "0"
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _wanted(about: Mapping[str, Any], kind: str, value: Any) -> str:
    """Say what the value should have been, or nothing if it is right."""
    if about["one_of"] and value not in about["one_of"]:
        return f"one of {', '.join(about['one_of'])}"
    least, most = about["least"], about["most"]
    if (least is not None and value < least) or (most is not None and value > most):
        return _KINDS[kind] + _limits(about)
    return about["check"](value) if about["check"] else ""


def _limits(about: Mapping[str, Any]) -> str:
    least, most = about["least"], about["most"]
    if most is not None:
        return f" from {least} to {most}"
    return f", {least} or more" if least is not None else ""


def _bool(text: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if text.lower() not in words:
        raise ValueError(text)
    return words[text.lower()]


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


_PARSERS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "int": int,
    "float": _float,
    "bool": _bool,
    "Path": Path,
    "tuple[str, ...]": lambda text: tuple(part.strip() for part in text.split(",") if part.strip()),
}
_KINDS = {"int": "a whole number", "float": "a number", "bool": "one of 1, 0, true, false, yes, no, on, off"}
