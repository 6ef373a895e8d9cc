"""Texts as short messages: alphabets, segments, reassembly. Pure."""
