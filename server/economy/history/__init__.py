"""A viewer's account of everything that moved their coins, and where each movement is."""
