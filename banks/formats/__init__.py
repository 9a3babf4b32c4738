"""One module a format: bytes to messages and back, streaming and pure. No Django."""
