"""What the outside speaks to: the socket, HTTP, tokens, problems."""
