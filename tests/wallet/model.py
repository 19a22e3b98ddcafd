"""A ledger of plain dictionaries and the wallet functions on a real server, to be tested against each other."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import orjson
from redis import Redis

from server.domain.controls import Controls
from server.stores import keys
from server.stores.columns import column
from server.stores.held_controls import controls_arguments, read_controls
from server.stores.redis import library_code

SHARD = 0
KEY = keys.shard(SHARD)
LOG = keys.shard_log(SHARD)
SHARDS = 16
DEDUPE_S = 600
IDLE_S = 3600
LIBRARY = library_code("giftstream_wallet")


@dataclass(frozen=True)
class Told:
    """One answer of `gs_gifts`. kind: `A` accepted, `R` refused for good, `T` for now, `L` wallet not loaded."""

    kind: str
    code: str = ""
    epoch: int = 0
    number: int = 0
    at_us: int = 0
    coins: int | None = None
    combo: int = 0
    first: int = 0
    retry_ms: int = 0
    fingerprint: str = ""
    near: tuple[str, ...] = ()
    limit: str | None = None
    until_us: int | None = None

    _FIELDS: ClassVar = {
        "A": ("epoch", "number", "at_us", "coins", "combo", "first", "fingerprint", "near"),
        "R": ("code", "coins", "fingerprint"),
        "T": ("code", "retry_ms", "limit", "until_us"),
        "L": (),
    }

    @classmethod
    def read(cls, kind: str, *values: Any) -> "Told":
        """Of an answer as Redis has it."""
        fields = dict(zip(cls._FIELDS[kind], values, strict=False))
        return cls(kind, **fields | {"near": tuple(fields.get("near", ()))})

    def written(self) -> bytes:
        """As Redis has it."""
        return orjson.dumps((self.kind, *(getattr(self, name) for name in self._FIELDS[self.kind])))


@dataclass(frozen=True)
class Gift:
    """One gift as a client asks for it."""

    viewer: str
    request: str
    cost: int
    combo_key: str = "r_1:rose"
    count: int = 1
    refusal: str = ""
    fingerprint: str = ""

    def body(self) -> str:
        row = (self.request, self.viewer, self.viewer, "r_1", "creator", "rose", 1, self.count, self.cost, self.cost)
        return orjson.dumps(row)[1:-1].decode()


def columns(*gifts: Gift) -> list[bytes]:
    """The batch as `gs_gifts` takes it."""
    rows = [
        (
            gift.viewer, f"{gift.viewer}:{gift.request}", gift.fingerprint, gift.combo_key,
            gift.count, gift.cost, gift.refusal, gift.body(),
        )
        for gift in gifts
    ]  # fmt: skip
    return [column(values) for values in zip(*rows, strict=True)]


@dataclass(frozen=True)
class Limits:
    """The limits of one call, generous unless a test is about them."""

    backlog_max: int = 1_000_000
    combo_gap_us: int = 60_000_000
    gift_interval_us: int = 1
    gift_burst: int = 1_000_000

    def arguments(self) -> tuple[int, ...]:
        return self.backlog_max, self.combo_gap_us, DEDUPE_S, self.gift_interval_us, self.gift_burst


class Shard:
    """Calls the wallet functions of one shard as the project does."""

    def __init__(self, redis: Redis, library: bytes = LIBRARY) -> None:
        self.redis = redis
        self._library = library
        redis.function_load(library, replace=True)  # type: ignore[arg-type]

    def begin(self, epoch: int = 1) -> None:
        self.reset(epoch, "begun")
        self.redis.fcall("gs_open", 1, KEY, epoch, 0, "begun", "opened")

    def restart(self) -> None:
        """What a restart does to the fence: the library's memory is gone."""
        self.redis.function_load(self._library, replace=True)  # type: ignore[arg-type]

    def send(self, *gifts: Gift, limits: Limits = Limits()) -> list[Told]:
        reply = self.redis.fcall("gs_gifts", 1, KEY, *limits.arguments(), *columns(*gifts))
        return [Told.read(*answer) for answer in orjson.loads(reply)]  # type: ignore[arg-type]

    def load(self, viewer: str, snapshot: "Snapshot", controls: Controls | None = None) -> str:
        arguments = (snapshot.epoch, snapshot.number, viewer, snapshot.coins, snapshot.credit, 0, IDLE_S)
        arguments += tuple(controls_arguments(controls))
        return self.redis.fcall("gs_load", 1, KEY, *arguments)[0].decode()  # type: ignore[index]

    def credit(self, viewer: str, number: int, amount: int, *spent_at_us: int) -> str:
        arguments = (viewer, number, amount, *spent_at_us)
        return self.redis.fcall("gs_credit", 1, KEY, *arguments).decode()  # type: ignore[union-attr]

    def wallet(self, viewer: str) -> tuple[int, int, int] | None:
        """coins, pending, credit number."""
        held = self.redis.fcall("gs_wallet", 1, KEY, viewer)
        return None if held is None else (int(held[0]), int(held[1]), int(held[3]))  # type: ignore[index]

    def control(self, viewer: str, coins: int, credit: int, controls: Controls) -> str:
        arguments = (viewer, coins, credit, *controls_arguments(controls))
        return self.redis.fcall("gs_controls", 1, KEY, *arguments).decode().split(" ")[0]  # type: ignore[union-attr]

    def controls(self, viewer: str) -> Controls | None:
        """What `gs_wallet` says of them."""
        return read_controls((self.redis.fcall("gs_wallet", 1, KEY, viewer) or [])[4:])  # type: ignore[index]

    def reset(self, epoch: int, opening: str) -> None:
        held = self.redis.fcall("gs_state", 1, KEY)[:3]  # type: ignore[index]
        self.redis.fcall("gs_reset", 1, KEY, *held, epoch, SHARDS, opening)

    def remember(self, epoch: int, viewer: str, request: str, answer: Told) -> None:
        opening = self.redis.hget(KEY, "opening").decode()  # type: ignore[union-attr]
        self.redis.fcall(
            "gs_remember", 1, KEY, epoch, opening, f"{opening}+", DEDUPE_S, f"{viewer}:{request}", answer.written()
        )

    def open_again(self, epoch: int, number: int) -> None:
        """Opens the shard if it is as given, under a new token."""
        held = self.redis.hget(KEY, "opening").decode()  # type: ignore[union-attr]
        self.redis.fcall("gs_open", 1, KEY, epoch, number, held, f"{held}+")

    def state(self) -> dict[str, int]:
        names = ("epoch", "number", "settled", "applied", "opened", "shards", "legible")
        epoch, number, _, *others = self.redis.fcall("gs_state", 1, KEY)  # type: ignore[misc]
        return dict(zip(names, map(int, (epoch, number, *others)), strict=True))

    def log(self) -> list[list[object]]:
        """The records of all entries, in order."""
        entries = self.redis.xrange(LOG)
        return [record for _, fields in entries for record in orjson.loads(fields[b"g"])]  # type: ignore[union-attr]

    def settled(self, epoch: int, start: int, end: int, taken: dict[str, int]) -> str:
        viewers, coins = column(list(taken)), column(list(taken.values()))
        return self.redis.fcall("gs_settled", 1, KEY, epoch, start, end, IDLE_S, viewers, coins).decode()  # type: ignore[union-attr]

    def applied(self, epoch: int, end: int, opening: str | None = None) -> str:
        read_under = self.redis.hget(KEY, "opening") if opening is None else opening
        return self.redis.fcall("gs_applied", 1, KEY, epoch, end, read_under or b"").decode()  # type: ignore[union-attr]

    def evict(self, viewer: str, epoch: int) -> bool:
        """What the wallet's time to live does, at once; False if it has none."""
        wallet_at = keys.wallet(SHARD, epoch, viewer)
        if int(self.redis.ttl(wallet_at)) < 0:  # type: ignore[arg-type]
            return False
        self.redis.delete(wallet_at)
        return True


@dataclass(frozen=True)
class Snapshot:
    """What the ledger says of one viewer at one moment."""

    epoch: int
    number: int
    coins: int
    credit: int


@dataclass
class Ledger:
    """Postgres, as far as one shard is concerned."""

    epoch: int = 1
    number: int = 0
    balances: dict[str, int] = field(default_factory=dict)
    credits: dict[str, list[int]] = field(default_factory=dict)
    settled: list[tuple[int, Sequence[object]]] = field(default_factory=list)

    def credit(self, viewer: str, amount: int) -> int:
        """Books a credit and answers its number."""
        self.credits.setdefault(viewer, []).append(amount)
        self.balances[viewer] = self.balances.get(viewer, 0) + amount
        return len(self.credits[viewer])

    def settle(self, record: Sequence[object]) -> None:
        """Books the next gift of the log."""
        assert record[0] == self.number + 1, "a number is missing or came twice"
        self.number += 1
        viewer = str(record[6])
        self.balances[viewer] = self.balances.get(viewer, 0) - int(str(record[13]))
        self.settled.append((self.epoch, record))

    def snapshot(self, viewer: str) -> Snapshot:
        return Snapshot(
            self.epoch, self.number, self.balances.get(viewer, 0), len(self.credits.get(viewer, ())),
        )  # fmt: skip
