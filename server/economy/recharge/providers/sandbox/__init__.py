"""A pretend payment provider: its own books, its own checkout page, its webhooks over real HTTP. No money is moved."""
