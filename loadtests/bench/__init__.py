"""``make bench``: each part of the server measured beside its limit, or beside what people would otherwise use."""
