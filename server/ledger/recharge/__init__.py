"""Coins for money, as the ledger keeps them: packages, purchases, what providers said, claims, recoveries, holds."""
