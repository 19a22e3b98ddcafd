"""What an audit found: one line for each promise, and the totals they were checked on."""

from dataclasses import dataclass, field
from typing import Any

EXAMPLES_MAX = 3


@dataclass(frozen=True, slots=True)
class Check:
    """One promise, whether it holds, and what was looked at or what is wrong."""

    name: str
    ok: bool
    detail: str


@dataclass(slots=True)
class Findings:
    """Collects what is wrong with one promise: counts all of it, keeps a few examples."""

    name: str
    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, what: str) -> None:
        """One thing that is wrong."""
        self.count += 1
        if len(self.examples) < EXAMPLES_MAX:
            self.examples.append(what)

    def expect(self, what: str, found: object, wanted: object) -> None:
        """Adds a finding unless both are equal."""
        if found != wanted:
            self.add(f"{what}: {found} instead of {wanted}")

    def check(self, looked_at: str) -> Check:
        """The promise with its result; looked_at: what was examined, for the case that all is well."""
        if not self.count:
            return Check(self.name, True, looked_at)
        more = f" (and {self.count - len(self.examples)} more)" if self.count > len(self.examples) else ""
        return Check(self.name, False, "; ".join(self.examples) + more)


@dataclass(frozen=True, slots=True)
class AuditReport:
    """All checks, and the totals: coins, diamonds, numbers of gifts."""

    checks: list[Check]
    totals: dict[str, int]

    @property
    def ok(self) -> bool:
        """Whether every promise holds."""
        return all(check.ok for check in self.checks)

    def as_dict(self) -> dict[str, Any]:
        """As `giftstream audit --json` prints it."""
        checks = [{"name": check.name, "ok": check.ok, "detail": check.detail} for check in self.checks]
        return {"ok": self.ok, "checks": checks, "totals": self.totals}

    def render(self) -> str:
        """For people: a line for each check, the totals, and the verdict."""
        width = max(len(check.name) for check in self.checks)
        lines = [f"  {'✓' if check.ok else '✗'} {check.name:<{width}}  {check.detail}" for check in self.checks]
        label = max(len(name) for name in self.totals)
        amount = max(len(f"{value:,}") for value in self.totals.values())
        lines += [
            "",
            *(f"  {name.replace('_', ' '):<{label}}  {value:>{amount},}" for name, value in self.totals.items()),
        ]
        failed = sum(not check.ok for check in self.checks)
        verdict = f"{failed} of {len(self.checks)} checks FAILED" if failed else f"All {len(self.checks)} checks hold."
        return "\n".join([*lines, "", verdict])
