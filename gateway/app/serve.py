"""`huiyin serve`: a node, from its configuration to the signal that ends it."""

import argparse
import asyncio
import gc
import logging
import signal
from typing import Final

import msgspec

from gateway import telemetry
from gateway.app.database import TROUBLES, keep_running, serving
from gateway.app.desk import FaultyFilesError
from gateway.app.node import Node
from gateway.cli.answer import FAILED, OK, WRONG_USE, say
from gateway.config import Settings, load, missing_to_serve
from gateway.config.schema import ROLES
from gateway.storage import migrate as migrations
from gateway.storage.database import UnsafeDatabase

log = logging.getLogger(__name__)

#: `huiyin key create` may have started our PostgreSQL for a moment: it is waited for.
LEAVE_SECONDS: Final = 5.0
#: New objects before the young ones are looked through, and how seldom the older ones are. A message and its
#: segments know each other, so both are freed here alone. More seldom: memory grows by half.
COLLECT_AFTER: Final = (5_000, 3, 2)


async def serve(args: argparse.Namespace, settings: Settings) -> int:
    """Run until SIGINT or SIGTERM; SIGHUP reads templates, rules and the routing table anew."""
    telemetry.configure(settings.log.level, settings.log.style)
    if args.roles:
        strange = sorted(set(args.roles) - set(ROLES))
        if strange:
            say("serve", f"no such role: {', '.join(strange)}; there are {', '.join(ROLES)}")
            return WRONG_USE
        settings = msgspec.structs.replace(
            settings, node=msgspec.structs.replace(settings.node, roles=args.roles)
        )
    missing = missing_to_serve(settings)
    if missing:
        for sentence in missing:
            say("serve", sentence)
        return FAILED
    try:
        with serving(settings, patience=LEAVE_SECONDS) as (dsn, server):
            await prepare(dsn, settings)
            async with Node(settings, dsn, read_again=lambda: load(args.config)) as node:
                watch = asyncio.create_task(keep_running(server))
                seldom_collect()
                await _until_told(node)
                watch.cancel()
    except (UnsafeDatabase, FaultyFilesError, *TROUBLES) as error:
        say("serve", str(error))
        return FAILED
    log.info("stopped")
    return OK


async def prepare(dsn: str, settings: Settings) -> None:
    """Bring our own database up to date; another's is only looked at, for its owner decides when."""
    if settings.database.embedded:
        await migrations.migrate(dsn, patience=30.0)
        return
    waiting = await migrations.pending(dsn)
    if waiting:
        names = ", ".join(migration.path.name for migration in waiting)
        raise migrations.MigrationError(f"the database waits for {names}: run `huiyin migrate` first")


def seldom_collect() -> None:
    """Spare the garbage collector what was built at the start, and call it when there is enough to find.

    By default it looks after every 700 new objects, which on the hot way is every few messages.
    """
    gc.collect()
    gc.freeze()
    gc.collect()  # so that it counts from nothing when it judges whether the old are worth a look
    gc.set_threshold(*COLLECT_AFTER)


async def _until_told(node: Node) -> None:
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    loop.add_signal_handler(signal.SIGHUP, node.reload)
    try:
        await told.wait()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.remove_signal_handler(number)
