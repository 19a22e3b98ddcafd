"""One gift: what is asked, what is answered, and the record that the log keeps of it."""

import msgspec
import orjson
from msgspec import Struct

from server.domain.controls import Period, Restraint
from server.domain.errors import RULES, Code
from server.domain.ids import GiftId

COUNT_MAX = 9_999
"""Largest `count` of one gift, from the public interface."""


class GiftOrder(Struct, frozen=True, gc=False):
    """A priced gift on its way to a wallet shard.

    combo_key: `<room>:<gift>` when the gift is streakable, else empty.
    refusal: the verdict so far; a request that was answered before still gets its first answer.
    body: the log record from request_id on, encoded (see `encode_body`).
    """

    viewer: str
    request_id: str
    fingerprint: str
    combo_key: str
    count: int
    coins: int
    refusal: Code | None
    body: str

    @property
    def request(self) -> str:
        """The request id under its viewer's name, which no other viewer's can be mistaken for."""
        return f"{self.viewer}:{self.request_id}"

    @property
    def verdict(self) -> str:
        """The refusal as `gs_gifts` takes it: empty, the code, or `!` and the code when it is final."""
        if self.refusal is None:
            return ""
        return f"!{self.refusal}" if RULES[self.refusal].final else self.refusal


class Accepted(Struct, frozen=True, gc=False):
    """Paid, and on disk. `coins` is what is left, `at_us` microseconds since the epoch, UTC. `near`: budgets that are
    nearly spent with this gift, and were not before.
    """

    gift_id: GiftId
    coins: int
    combo: int
    combo_first: int
    at_us: int
    fingerprint: str
    near: tuple[Period, ...] = ()


class Refused(Struct, frozen=True, gc=False):
    """Not paid. `coins` is the balance where the wallet was looked at. `restraint`: a limit of the viewer's own."""

    code: Code
    coins: int | None = None
    retry_ms: int | None = None
    fingerprint: str = ""
    restraint: Restraint | None = None


Answer = Accepted | Refused


class GiftRecord(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A gift as the log holds it; field order is the log's (docs/design.md)."""

    number: int
    at_us: int
    coins_after: int
    combo: int
    combo_first: int
    request_id: str
    viewer: str
    viewer_name: str
    room: str
    creator: str
    gift: str
    version: int
    count: int
    coins: int
    diamonds: int
    note: str = ""
    """What an item that is no gift is to do (`server/domain/item_note.py`); gifts have none."""


def encode_body(
    *,
    request_id: str,
    viewer: str,
    viewer_name: str,
    room: str,
    creator: str,
    gift: str,
    version: int,
    count: int,
    coins: int,
    diamonds: int,
    note: str = "",
) -> str:
    """The part of a record that the gateway knows: a JSON array without its brackets. An empty note takes no room."""
    body = (request_id, viewer, viewer_name, room, creator, gift, version, count, coins, diamonds)
    return orjson.dumps((*body, note) if note else body)[1:-1].decode()


_decode_records = msgspec.json.Decoder(list[GiftRecord]).decode


def decode_entry(packed: bytes) -> list[GiftRecord]:
    """The records of one log entry, each field of its type. Raises ValueError when they are not what was written."""
    try:
        return _decode_records(packed)
    except msgspec.DecodeError as error:
        raise ValueError(f"not a log entry: {error}") from None
