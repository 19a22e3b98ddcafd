"""What coins and diamonds mean to people: credits and earnings."""
