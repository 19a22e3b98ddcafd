"""What admins see and do, in Postgres."""
