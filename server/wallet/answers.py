"""The answers of `gs_gifts`, as text in Redis and as values here (docs/design.md)."""

from server.domain.errors import Code
from server.domain.gift import Accepted, Answer, Refused
from server.domain.ids import GiftId


def encode_answer(answer: Accepted) -> str:
    """The text that Redis keeps for an accepted gift."""
    return " ".join(
        (
            "A",
            str(answer.gift_id.epoch),
            str(answer.gift_id.number),
            str(answer.coins),
            str(answer.combo),
            str(answer.combo_first),
            str(answer.at_us),
            answer.fingerprint,
        )
    )


def decode_answer(shard: int, answer: bytes) -> Answer | None:
    """What an answer says; None for `L`: the wallet is not loaded."""
    kind, *fields = answer.split(b" ")
    if kind == b"A":
        epoch, number, coins_left, combo, first, at_us, fingerprint = fields
        gift_id = GiftId(shard, int(epoch), int(number))
        return Accepted(gift_id, int(coins_left), int(combo), int(first), int(at_us), fingerprint.decode())
    if kind == b"R":
        code, coins, fingerprint = fields
        return Refused(Code(code.decode()), None if coins == b"-" else int(coins), fingerprint=fingerprint.decode())
    if kind == b"T":
        code, retry_ms = fields
        return Refused(Code(code.decode()), retry_ms=int(retry_ms) or None)
    if kind == b"L":
        return None
    raise ValueError(f"not an answer: {answer[:80]!r}")
