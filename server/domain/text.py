"""What people type: names, titles and chat, made safe to show beside the words of others."""

import unicodedata

NAME_CHARS_MAX = 40
TITLE_CHARS_MAX = 80
CHAT_CHARS_MAX = 200

_JOINERS = {"\u200c", "\u200d"}
"""Zero-width (non-)joiners: invisible alone, but emoji and several scripts need them."""


def clean(text: str, chars_max: int) -> str:
    """One visible line of at most chars_max characters, or "" when nothing visible is left.

    Control and format characters are dropped (among them the overrides that turn text around), line ends and
    runs of space become one space, and stacked combining marks are cut at four in a row. Markup stays as it is:
    pages show text as text.
    """
    kept: list[str] = []
    marks = 0
    for char in unicodedata.normalize("NFC", text):
        category = unicodedata.category(char)
        if category in {"Zs", "Zl", "Zp"} or char in "\t\n\r":
            marks = 0
            kept.append(" ")
            continue
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if marks > 4:
            continue
        if category[0] != "C" or char in _JOINERS:
            kept.append(char)
    line = " ".join("".join(kept).split())[:chars_max].strip()
    return line if any(unicodedata.category(char)[0] in "LNPS" for char in line) else ""
