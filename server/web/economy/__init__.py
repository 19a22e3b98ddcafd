"""The coin economy over HTTP: a file for each part of it, with its shapes and routes."""
