"""Huiyin (回音): an SMS-centric customer interaction gateway for mobile operators."""

__version__ = "0.1.0"
