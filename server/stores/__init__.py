"""Connections to Redis and Postgres, key names, embedded servers."""
