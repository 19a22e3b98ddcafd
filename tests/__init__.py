"""Tests on real stores and real processes."""
