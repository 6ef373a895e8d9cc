"""SMPP without I/O: bytes in, PDUs and events out, and back. Both roles."""
