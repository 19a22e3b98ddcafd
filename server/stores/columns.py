"""Batches as the wallet functions take them: one argument for each property of all gifts or viewers of a batch.

A column is its values in MessagePack, one after the other. Packed and read in C on both sides, it costs a fifth of what
an argument for each value does.
"""

from collections.abc import Sequence

import msgspec

COLUMN_MAX = 4_000
"""Values of one column: Lua has no room for many more at once."""

_encode = msgspec.msgpack.Encoder().encode
_SHORT_LIST_MAX = 15


def column(values: Sequence[str] | Sequence[int]) -> bytes:
    """One column. Raises ValueError when it is too long."""
    if len(values) > COLUMN_MAX:
        raise ValueError(f"{len(values)} values in one column")
    # Without the list's own header: Lua takes what follows as the values of a table, whose size it then knows.
    return _encode(values)[1 if len(values) <= _SHORT_LIST_MAX else 3 :]
