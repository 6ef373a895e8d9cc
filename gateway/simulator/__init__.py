"""The other side: an SMSC, its customers and a ticket system, for demos, tests and benchmarks."""
