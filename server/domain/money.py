"""Coins and diamonds: whole numbers that cannot be mixed up by accident."""

from typing import NewType

Coins = NewType("Coins", int)
"""What viewers buy and spend."""

Diamonds = NewType("Diamonds", int)
"""What creators earn."""

MONEY_MAX = 2**53 - 1
"""Largest amount anywhere: Lua and JavaScript count exactly up to here."""


def in_words(amount: int, currency: str) -> str:
    """An amount of money for people, such as `1,234.50 USD`. amount: in minor units, hundredths."""
    return f"{amount // 100:,}.{amount % 100:02d} {currency}"
