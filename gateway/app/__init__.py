"""The roof: puts the house together, and carries out the commands that need it."""

from gateway.app.admin import explain, key_create, key_list, key_revoke, migrate, send
from gateway.app.demo import demo
from gateway.app.probe import smsc_probe
from gateway.app.serve import serve
from gateway.app.showing import binds, decode, trace
from gateway.app.stands import bench, smsc, ticket_system

__all__ = [
    "bench",
    "binds",
    "decode",
    "demo",
    "explain",
    "key_create",
    "key_list",
    "key_revoke",
    "migrate",
    "send",
    "serve",
    "smsc",
    "smsc_probe",
    "ticket_system",
    "trace",
]
