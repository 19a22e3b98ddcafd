"""A broken promise."""


class Finding(AssertionError):  # noqa: N818 - it is what the simulation is there to find
    """Says in one line what was promised and what was seen."""


def expect(holds: bool, line: str) -> None:
    """Raises Finding unless the promise holds."""
    if not holds:
        raise Finding(line)
