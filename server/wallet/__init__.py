"""Coins in Redis: the atomic debit, its batching client, loading and crediting."""
