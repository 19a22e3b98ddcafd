"""A viewer's controls as the wallet functions take and give them (docs/design.md)."""

from collections.abc import Sequence

from server.domain.controls import Budget, Controls, Period

_NO_LIMIT = -1


def controls_arguments(controls: Controls | None) -> list[int]:
    """For `gs_load` and `gs_controls`; nothing for a viewer who never set any."""
    if controls is None:
        return []
    arguments = [controls.version, controls.not_before_us]
    for period in Period:
        budget = controls.budgets[period]
        arguments += (_NO_LIMIT if budget.limit is None else budget.limit, budget.spent, budget.ends_us)
    return arguments


def read_controls(fields: Sequence[bytes]) -> Controls | None:
    """Of what follows in an answer of `gs_wallet`."""
    if not fields:
        return None
    version, not_before_us, *rest = map(int, fields)
    budgets = {}
    for period, limit, spent, ends_us in zip(Period, rest[::3], rest[1::3], rest[2::3], strict=True):
        budgets[period] = Budget(None if limit == _NO_LIMIT else limit, spent, ends_us)
    return Controls(version, not_before_us, budgets)
