"""Reads a `.env` file: `NAME=value` lines, `#` comments, an optional `export`, quotes around a value."""

import re
from pathlib import Path

from server.start_error import StartError

FILE_BYTES_MAX = 1_048_576

_LINE = re.compile(
    r"""(?:export\s+)?(?P<name>[A-Za-z_]\w*)\s*=\s*(?P<value>'[^']*'|"[^"]*"|[^'"\#\s].*?|)(?:\s+\#.*|\s*)""",
    re.VERBOSE,
)


class DotenvError(StartError):
    """The file could not be read; the message names the line, never its content."""

    exit_code = 2


def read_dotenv(path: Path) -> dict[str, str]:
    """Return the variables of a `.env` file; none if there is no file. Raises DotenvError."""
    if not path.is_file():
        return {}
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise DotenvError(f"{path} is larger than {FILE_BYTES_MAX} bytes")
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DotenvError(f"{path} cannot be read: {type(error).__name__}") from error
    variables = {}
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        match = _LINE.fullmatch(text)
        if match is None:
            raise DotenvError(f"{path}, line {number}: expected NAME=value")
        value = match["value"]
        quoted = value[:1] in ("'", '"')
        variables[match["name"]] = value[1:-1] if quoted else value
    return variables
