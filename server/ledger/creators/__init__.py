"""What Postgres keeps for creators: followers, what they earned and when, and how it is paid out."""
