"""Gifts into rooms and onto screens: apply, fan-out, resume, presence."""
