"""Logging of a process: structlog on stderr, as JSON lines or, on a terminal, for people."""

from __future__ import annotations

import logging
import sys
from typing import Any

import orjson
import structlog

from server.settings import Settings
from server.terminal import colour_wanted


def set_up_logging(settings: Settings, process: str) -> None:
    """Send what structlog and the standard library log to stderr, each line naming ``process``."""
    level = logging.getLevelNamesMapping()["INFO" if settings.log_level == "auto" else settings.log_level.upper()]
    for_people = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if for_people else "iso", utc=not for_people),
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    colour = colour_wanted(sys.stderr)
    rendering: list[structlog.typing.Processor] = (
        # Where Rich is installed, structlog would show the local variables of a traceback: tokens, balances, names.
        [structlog.dev.ConsoleRenderer(colors=colour, exception_formatter=structlog.dev.plain_traceback)]
        if for_people
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_json)]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Their debug lines hold what users send.
    for quiet in ("asyncio", "aiohttp.access"):
        logging.getLogger(quiet).setLevel(max(level, logging.WARNING))
    # A pool that cannot reach Postgres says so with a traceback every second; whoever uses it says it once.
    logging.getLogger("asyncpg").setLevel(logging.ERROR)


def _json(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()
