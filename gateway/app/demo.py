"""`huiyin demo`."""

import argparse

from gateway.config import Settings


async def demo(args: argparse.Namespace, settings: Settings) -> int:
    raise NotImplementedError
