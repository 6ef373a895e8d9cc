"""Tests of the other side, over real sockets."""
