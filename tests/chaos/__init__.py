"""Real processes on real stores, real clients, and one thing after another that goes wrong; and the books compared."""
