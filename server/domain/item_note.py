"""What an item is to do, as its record in the log says it: written by the gateway that priced it."""

import msgspec
from msgspec import Struct

from server.domain.catalogue import ItemKind


class ItemNote(Struct, frozen=True, omit_defaults=True):
    """seconds: how long it is shown, all pieces together. text: of a highlighted comment. room: that is promoted."""

    kind: ItemKind
    seconds: int = 0
    text: str = ""
    room: str = ""


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(ItemNote).decode


def write_note(note: ItemNote) -> str:
    """The note as a record keeps it."""
    return _encode(note).decode()


def read_note(note: str) -> ItemNote | None:
    """What `write_note` wrote; None for anything else, such as the empty note of a gift."""
    if not note:
        return None
    try:
        return _decode(note)
    except msgspec.DecodeError:
        return None
