"""Values and rules of the gift business: no I/O, and no import from the rest of the project."""
