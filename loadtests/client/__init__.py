"""A WebSocket load client that is cheap enough not to be what is measured."""
