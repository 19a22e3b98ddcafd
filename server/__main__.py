"""The command line: ``giftstream``, the same as ``python -m server``."""

from __future__ import annotations

import argparse
import errno
import os
import sys

from server import __version__
from server.settings import load_settings, unknown_variables
from server.start_error import StartError

EXIT_INTERRUPTED = 130
TOKEN_TTL_S = 86_400
TOKEN_TTL_S_MAX = 10 * 366 * 86_400

_ENDING = """\
Settings are environment variables (a .env file works too): REDIS_URL, DATABASE_URL and GIFTSTREAM_*; the README lists
them all. With no store URLs set, every command finds the stores of a `giftstream serve` that runs on the data folder.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code; what keeps it from starting is one line on stderr."""
    flags = _parser().parse_args(arguments)
    try:
        settings = load_settings(given=_given(flags))
    except StartError as error:
        return _complain(str(error), error.exit_code)
    for name in unknown_variables(os.environ):
        print(f"giftstream: {name} is not a setting; is it misspelt?", file=sys.stderr)

    from server import commands

    try:
        code: int = getattr(commands, flags.command)(settings, flags)
    except commands.START_FAILURES as error:
        return _complain(str(error), getattr(error, "exit_code", 1))
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL):
            raise
        return _complain(str(error), 1)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return code


def _complain(message: str, exit_code: int) -> int:
    print(f"giftstream: {' '.join(message.split())}", file=sys.stderr)
    return exit_code


def _given(flags: argparse.Namespace) -> dict[str, str]:
    """Return the settings that were given as flags."""
    given = {name: getattr(flags, name, None) for name in ("host", "port", "gateways", "data_dir", "demo")}
    return {name: str(value) for name, value in given.items() if value is not None}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="giftstream",
        description="A real-time gift server for live rooms.",
        epilog=_ENDING,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"giftstream {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    serve = _command(commands, "serve", "everything on one machine: stores, schema, gateways and a worker")
    serve.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    serve.add_argument("--port", help="port to listen on (default 8080; 0: any free one)")
    serve.add_argument("--gateways", metavar="N", help="gateway processes on that port (default 2)")
    serve.add_argument("--demo", action="store_const", const="1", help="demo rooms, and a login without a password")
    _command(commands, "gateway", "one gateway, for several machines")
    _command(commands, "worker", "one worker, for several machines")
    _command(commands, "migrate", "bring the database schema up to date")
    audit = _command(commands, "audit", "check every money invariant across both stores; exit 0 only when all hold")
    audit.add_argument("--json", action="store_true", help="print one JSON object")
    token = _command(commands, "token", "print a signed token")
    token.add_argument("--user", required=True, metavar="ID", help="id of the user it is for")
    token.add_argument("--name", help="name that others see (default: the id)")
    token.add_argument("--role", choices=("viewer", "creator", "admin"), default="viewer", help="default viewer")
    token.add_argument(
        "--ttl", type=seconds, metavar="SECONDS", default=TOKEN_TTL_S, help="how long it holds (default one day)"
    )
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, about: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=about, description=about[0].upper() + about[1:] + ".")
    parser.add_argument("--data-dir", metavar="DIR", help="data folder (default GIFTSTREAM_DATA_DIR, else .giftstream)")
    return parser


def seconds(text: str) -> int:
    """Read a time to live."""
    number = int(text)
    if not 0 < number <= TOKEN_TTL_S_MAX:
        raise argparse.ArgumentTypeError(f"must be from 1 to {TOKEN_TTL_S_MAX}")
    return number


if __name__ == "__main__":
    sys.exit(main())
