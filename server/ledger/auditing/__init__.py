"""The parts of the audit: what Redis holds, what the ledger holds, and whether they say the same."""
