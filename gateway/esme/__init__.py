"""Our side of SMPP: binds to an SMSC, their window and rate."""
