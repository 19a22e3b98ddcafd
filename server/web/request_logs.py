"""What aiohttp logs by itself, without what clients sent: a line that is no HTTP may still hold somebody's token."""

import logging

from aiohttp.http_exceptions import HttpProcessingError


class _WithoutRequests(logging.Filter):
    """Drops the complaint about a request that could not be parsed; it was answered with 400."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, HttpProcessingError)


_filter = _WithoutRequests()


def keep_requests_out() -> None:
    """Applies to the whole process; again changes nothing."""
    logging.getLogger("aiohttp.server").addFilter(_filter)
    # Its warnings repeat the client's headers.
    logging.getLogger("aiohttp.websocket").setLevel(logging.ERROR)
