"""The admin calls over HTTP: they exist only where `GIFTSTREAM_ADMIN` is set, and only for admins."""
