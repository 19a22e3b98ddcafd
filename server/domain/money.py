"""Coins and diamonds: whole numbers that cannot be mixed up by accident."""

from typing import NewType

Coins = NewType("Coins", int)
"""What viewers buy and spend."""

Diamonds = NewType("Diamonds", int)
"""What creators earn."""

MONEY_MAX = 2**53 - 1
"""Largest amount anywhere: Lua and JavaScript count exactly up to here."""
