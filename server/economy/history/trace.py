"""Where something is, step by step and in plain words: "my gift did not arrive", "my coins are not there"."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

State = Literal["done", "waiting", "stopped"]


@dataclass(frozen=True, slots=True)
class Step:
    """One station. stage: `provider`, `purchase`, `debit`, `log`, `screen`, `settlement`, `credit` or `wallet`."""

    stage: str
    state: State
    text: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """What was found: about what, whose it is, its stations in order, and the answer in one sentence."""

    about: Literal["gift", "purchase", "credit"]
    id: str
    user_id: str
    verdict: str
    steps: list[Step] = field(default_factory=list)
