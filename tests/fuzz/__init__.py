"""What a client may send that no client should: on the socket and over HTTP, from a seed."""
