"""Stand-ins for the world outside, and the benchmark."""

import argparse

from gateway.config import Settings


async def smsc(args: argparse.Namespace, settings: Settings) -> int:
    raise NotImplementedError


async def ticket_system(args: argparse.Namespace, settings: Settings) -> int:
    raise NotImplementedError


def bench(args: argparse.Namespace, settings: Settings) -> int:
    raise NotImplementedError
