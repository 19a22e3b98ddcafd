"""Postgres: schema, settlement, accounts, history, audit."""
