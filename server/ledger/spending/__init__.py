"""What items other than gifts do, as the ledger keeps it: tickets, placements, upgrades, what is shown, and boards."""
