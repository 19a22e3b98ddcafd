"""Creators: who qualifies for being paid, and what their earnings say of their rooms."""
