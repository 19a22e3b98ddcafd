"""How long to wait before the next try, and saying once that something is away and once that it is back."""

import random
import time

import structlog

log = structlog.get_logger()

FIRST_S = 0.1
MAX_S = 5.0


class Outage:
    """Trouble with one thing: waits grow up to MAX_S, with full jitter; a line when it begins and one when it ends."""

    def __init__(self, subject: str, **what: str | int) -> None:
        self._subject = subject
        self._what = what
        self._tries = 0
        self._since = 0.0
        self._resume_at = 0.0

    @property
    def paused(self) -> bool:
        """Whether it is too early for the next try."""
        return self._tries > 0 and time.monotonic() < self._resume_at

    def failed(self, error: BaseException) -> bool:
        """Notes one more failure; True for the first, which is logged."""
        now = time.monotonic()
        self._tries += 1
        most_s = min(MAX_S, FIRST_S * 2.0 ** min(self._tries, 16))
        self._resume_at = now + random.uniform(FIRST_S / 2, most_s)  # noqa: S311
        if self._tries > 1:
            return False
        self._since = now
        log.error("put off", part=self._subject, **self._what, error=f"{type(error).__name__}: {error}")
        return True

    def over(self) -> None:
        """Notes a success."""
        if self._tries:
            log.info("going on", part=self._subject, **self._what, after_s=round(time.monotonic() - self._since, 1))
            self._tries = 0
