"""Real processes on real stores, real clients, and one thing after another that goes wrong; then the books are compared."""
