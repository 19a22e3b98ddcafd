"""giftstream: a real-time gift server for live rooms."""

from pathlib import Path

__version__ = "0.1.0"

_PACKAGE = Path(__file__).resolve().parent

#: The pages: inside the installed package, or beside it in a checkout.
STATIC_FOLDER = _PACKAGE / "static" if (_PACKAGE / "static").is_dir() else _PACKAGE.parent / "static"
