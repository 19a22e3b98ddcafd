"""Room for many sockets: each is an open file, and shells commonly allow a process 1,024 of them."""

import resource

import structlog

log = structlog.get_logger()


def allow_many_sockets() -> None:
    """Raises this process's limit of open files as far as it may by itself."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == hard:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError) as error:
        log.warning("the limit of open files stays as it is", limit=soft, error=str(error))
