"""The answers of `gs_gifts`, as JSON arrays in Redis and as values here (docs/design.md)."""

import msgspec
from msgspec import Struct

from server.domain.controls import Period, Restraint
from server.domain.errors import Code
from server.domain.gift import Accepted, Answer, Refused
from server.domain.ids import GiftId


class _Accepted(Struct, frozen=True, array_like=True, tag="A", gc=False):
    epoch: int
    number: int
    at_us: int
    coins: int
    combo: int
    combo_first: int
    fingerprint: str
    near: tuple[Period, ...] = ()


class _Refused(Struct, frozen=True, array_like=True, tag="R", gc=False):
    code: Code
    coins: int | None
    fingerprint: str


class _NotNow(Struct, frozen=True, array_like=True, tag="T", gc=False):
    code: Code
    retry_ms: int
    limit: Period | None = None
    until_us: int | None = None


class _NotLoaded(Struct, frozen=True, array_like=True, tag="L", gc=False):
    pass


_decode = msgspec.json.Decoder(list[_Accepted | _Refused | _NotNow | _NotLoaded]).decode


def encode_answer(answer: Accepted) -> bytes:
    """What Redis keeps for an accepted gift."""
    _, epoch, number = answer.gift_id
    return msgspec.json.encode(
        _Accepted(epoch, number, answer.at_us, answer.coins, answer.combo, answer.combo_first, answer.fingerprint)
    )


def decode_answers(shard: int, reply: bytes) -> list[Answer | None]:
    """The answers to a batch, in order; None where the wallet is not loaded. Raises ValueError for anything else."""
    return [_answer(shard, told) for told in _decode(reply)]


def _answer(shard: int, told: _Accepted | _Refused | _NotNow | _NotLoaded) -> Answer | None:
    if type(told) is _Accepted:
        gift_id = GiftId(shard, told.epoch, told.number)
        return Accepted(gift_id, told.coins, told.combo, told.combo_first, told.at_us, told.fingerprint, told.near)
    if type(told) is _Refused:
        return Refused(told.code, told.coins, fingerprint=told.fingerprint)
    if type(told) is _NotNow:
        restraint = None if told.until_us is None else Restraint(told.limit, told.until_us)
        return Refused(told.code, retry_ms=told.retry_ms or None, restraint=restraint)
    return None
