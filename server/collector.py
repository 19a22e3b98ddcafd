"""Python's garbage collector, told what kind of process this is: much that stays, much that goes without its help.

A full collection looks at everything that is alive, and nothing else runs meanwhile: thousands of sockets that come
together, or tens of thousands of gifts that are settled, must not cause one after the other. What is left in cycles
waits for a later one.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

THRESHOLDS = (5_000, 10, 100)


@contextmanager
def rare_collections() -> Iterator[None]:
    """What there is now is never looked at again; afterwards the collector is as it was."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
