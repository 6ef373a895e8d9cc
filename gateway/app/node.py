"""One node of the gateway: every room built, joined and started in order, and stopped in the reverse."""

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from gateway import __version__, telemetry
from gateway.app.desk import Desk, FaultyFilesError
from gateway.app.routes import routes_of
from gateway.config import ConfigError, Settings, listening, rates_of, server_tls, steering_of
from gateway.domain.connector import Connector, load_connectors
from gateway.domain.event import Callback
from gateway.domain.ids import IdSource, floor_at
from gateway.domain.message import Message
from gateway.domain.msisdn import parse_msisdn
from gateway.domain.rulebook import Rules
from gateway.domain.target import Targets
from gateway.domain.timer import TimerKind
from gateway.esme.binds import Binds
from gateway.esme.link import Ears
from gateway.http import server as http_server
from gateway.http.client import Client
from gateway.http.ports import Check, Services
from gateway.services.callbacks import Callbacks
from gateway.services.compose import Composer, Sender
from gateway.services.confirmations import Confirmations
from gateway.services.contacts import Contacts
from gateway.services.conversations import Conversations
from gateway.services.dispatch import Dispatch, Patience
from gateway.services.evidence import Evidence
from gateway.services.flights import EACH, Flights
from gateway.services.inbound import Inbound
from gateway.services.inbox import Inbox
from gateway.services.intake import Intake
from gateway.services.keys import KeyRing
from gateway.services.leases import Leases
from gateway.services.ledger import Ledger
from gateway.services.lookups import Lookups
from gateway.services.notices import Notices
from gateway.services.outbox import Outbox
from gateway.services.receipts import Receipts
from gateway.services.reports import Reports
from gateway.services.subscriptions import Subscriptions
from gateway.services.timers import Timers
from gateway.services.unreported import Unreported
from gateway.services.upkeep import Upkeep, prepare
from gateway.services.webhooks import Webhooks
from gateway.storage.database import Database, StorageUnavailable, check_durability
from gateway.storage.leases import Lease

log = logging.getLogger(__name__)

#: How long a stop waits for what is in flight.
DRAIN_SECONDS: Final = 10.0
LAG_SECONDS: Final = 0.25
#: How often it is looked for messages that no bell announced, and how far back: those that other nodes took
#: in for us, and those whose commit succeeded although nobody saw it.
SWEEP_FOR_OTHERS: Final = (2.0, timedelta(seconds=10))
SWEEP_FOR_STRAYS: Final = (30.0, timedelta(seconds=90))


def utc_now() -> datetime:
    """The clock of the whole house: everything below is given it."""
    return datetime.now(UTC)


def connectors_of(settings: Settings) -> dict[str, Connector]:
    """The connectors as configured; their faults were told when the configuration was read."""
    return load_connectors({name: each.definition() for name, each in settings.connectors.items()})[0]


class Node:
    """A running gateway. `async with Node(…)`: inside, it serves."""

    def __init__(
        self,
        settings: Settings,
        dsn: str,
        *,
        now: Callable[[], datetime] = utc_now,
        rules: Callable[[Rules], Rules] = lambda rules: rules,
        read_again: Callable[[], Settings] | None = None,
    ) -> None:
        """`rules` may change the rules as they are read: the demo's have no limits.

        `read_again` reads the configuration once more, for `reload`.
        """
        self.settings = settings
        self.now = now
        self._read_again = read_again
        self.desk = Desk(settings, rules)
        self.port = 0  #: of HTTP, once it listens
        regions = settings.regions
        self._accepted = tuple(dict.fromkeys(name.lower() for name in (regions.home, *regions.accept)))
        self._dsn = dsn
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []
        roles = settings.node.roles
        self._sends = not roles or "sender" in roles
        self._answers = not roles or "api" in roles

    async def __aenter__(self) -> "Node":
        try:
            await self._open()
            await self._build()
            await self._start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    def reload(self) -> None:
        """Read templates, rules and routing anew: all of it, or, when a fault is told, nothing."""
        try:
            papers, steer = self.desk.read(), self._read_steering()
        except (FaultyFilesError, ConfigError) as error:
            telemetry.UP_TO_DATE.set(0)
            for fault in error.faults:
                log.error("not loaded, the former stays in force", extra={"fault": fault})
            return
        self.desk.use(papers)
        steer()
        telemetry.UP_TO_DATE.set(1)
        log.info("templates, rules and routing table loaded")

    def _read_steering(self) -> Callable[[], None]:
        """[[routing]] and the rates of senders anew: what is called takes them over. Raises `ConfigError`."""
        if self._read_again is None:
            return lambda: None
        settings, before = self._read_again(), self.settings.smsc
        if strange := [name for name in settings.smsc if name not in before]:
            raise ConfigError([f"[smsc.{name}] is new: restart to use it" for name in strange])
        steering, rates = steering_of(settings), rates_of(settings)

        def steer() -> None:
            for name in before:
                if settings.smsc.get(name) != before[name]:
                    log.warning("changed, and as before until a restart", extra={"section": f"smsc.{name}"})
            self.binds.steer(steering, rates)
            self.dispatch.steered()

        return steer

    # In order

    async def _open(self) -> None:
        """The database: reached, safe, prepared."""
        settings = self.settings.database
        self.database = await Database.open(self._dsn, size=settings.connections, patience=30.0)
        self._stack.push_async_callback(self.database.close)
        async with self.database.connection() as connection:
            await check_durability(connection)
            await prepare(connection, self.now())

    async def _build(self) -> None:
        """Every service, lower ones first."""
        self.ids = IdSource()
        await self._build_callbacks()
        await self._build_sending()
        await self._build_talking()
        zone = self.desk.rules.zone
        self._reports = Reports(self.database, self.now, zone, lambda: self.desk.rules.cases)
        self._keys = KeyRing(self.database, time.monotonic, self.settings.http.rate)

    async def _build_callbacks(self) -> None:
        """Calls out: who listens, and who makes them."""
        database, settings, now = self.database, self.settings, self.now
        self.outbox = Outbox(self.ids, connectors_of(settings))
        targets = Targets(settings.security.allow_targets)
        client = await self._stack.enter_async_context(Client(targets))
        self.callbacks = Callbacks(
            database,
            self.outbox,
            client,
            now,
            self._owned,
            answered=lambda *answers: self._conversations.on_answers(*answers),  # noqa: PLW0108 - built below
        )
        self._webhooks = Webhooks(database, self.outbox, self.callbacks, targets, ids=self.ids, now=now)

    async def _build_sending(self) -> None:
        """The way to the phone: binds, dispatch, receipts, and the leases on what is sent."""
        database, settings, now = self.database, self.settings, self.now
        self._routes = routes_of(settings)
        self.binds = Binds(self._routes, steering=steering_of(settings), senders=rates_of(settings))
        reported = {route.name: route.parts_reported for route in self._routes}
        flights = Flights(lambda route: reported.get(route, EACH))
        self._unreported = Unreported(database=database, flights=flights, smsc_ids=self.binds, now=now)
        self.binds.awaiting = self._unreported.awaiting_of
        notices = Notices(self.outbox)
        self._ledgers = [
            Ledger(name, await database.dedicated(name), self._callbacks_made)
            for name in ("attempts", "outcomes")
        ]
        attempts, outcomes = self._ledgers
        self.leases = Leases(
            await database.dedicated("leases"),
            settings.node.name or socket.gethostname(),
            gained=self._gained,
            lost=self._lost,
            oldest_open=lambda: self.dispatch.oldest_open(),  # noqa: PLW0108 - made below
            now=now,
            lease=settings.node.lease,
        )
        self.dispatch = Dispatch(
            database=database,
            ledger=attempts,
            settlements=outcomes,
            flights=flights,
            carrier=self.binds,
            leases=self.leases,
            notices=notices,
            patience=Patience(unknown=settings.delivery.unknown_wait),
            now=now,
        )
        self._receipts = Receipts(
            database=database,
            ledger=outcomes,
            flights=flights,
            notices=notices,
            ids=self.ids,
            smsc_ids=self.binds,
            now=now,
            senders={sender.number: sender.extensions for sender in settings.senders.values()},
        )
        self.dispatch.early = self._receipts
        self.leases.unanswered = self.dispatch.unanswered

    async def _build_talking(self) -> None:
        """The ways in: callers' wishes, customers' words, and what falls due."""
        database, settings, now = self.database, self.settings, self.now
        senders = {
            name: Sender(number=sender.number, extensions=sender.extensions)
            for name, sender in settings.senders.items()
        }
        composer = Composer(
            lambda: self.desk.catalogue,
            senders,
            self.ids,
            language=settings.templates.language,
            valid_for=settings.delivery.valid_for,
            estimate=self.binds.estimate,
            unable=self.binds.unable,
        )
        self._conversations = Conversations(
            composer,
            self.outbox,
            lambda: self.desk.rules,
            hand_over_messages=self._messages_made,
            hand_over_callbacks=self._callbacks_made,
        )
        self._inbound = Inbound(
            await database.dedicated("inbound"),
            self._conversations,
            self.ids,
            {sender.number: sender.extensions for sender in senders.values()},
            now,
            alphabets={route.name: route.default_alphabet for route in self._routes},
            is_live=self.binds.is_live,
            wait=settings.delivery.reassembly_wait,
        )
        self.intake = Intake(
            database=database,
            connection=await database.dedicated("intake"),
            composer=composer,
            conversations=self._conversations,
            regions=self._regions(),
            hand_over=self._messages_made,
            now=now,
        )
        self._timers = Timers(database, now)
        self._timers.register(TimerKind.MESSAGE, self.dispatch.due)
        self._timers.register(TimerKind.CONVERSATION, self._conversations.on_timers)
        self._timers.register(TimerKind.REASSEMBLY, self._inbound.on_reassembly)

    async def _start(self) -> None:
        await self._webhooks.refresh()
        await self._keys.load()
        if self._sends:
            await self._receipts.load()
            await self.leases.start()
            self._spawn(self.leases.run())
            self._spawn(self.dispatch.run())
            self._spawn(self._timers.run(self.leases.owned))
            self._spawn(self._unreported.run())
            self._spawn(self._sweep())
            self.binds.start(
                Ears(
                    outcomes=self.dispatch.outcomes,
                    receipts=self._unreported.hearing(self._receipts.store),
                    short_messages=self._inbound.store,
                    room_again=self.dispatch.room_again,
                    number_of=self._number_of,
                    now=self.now,
                    may_go=self.dispatch.may_go,
                )
            )
            await self.callbacks.start()
        self._spawn(self._webhooks.run())
        self._spawn(self._keys.run())
        self._spawn(self._upkeep().run())
        self._spawn(self._reports.run())
        self._spawn(self._observe())
        if self._answers:
            host, port = listening(self.settings.http.listen)
            self._listener = await http_server.start(
                self._services(), host, port, tls=server_tls(self.settings)
            )
            self.port = self._listener.port
        log.info("serving", extra={"http": self.port, "version": __version__})

    async def _stop(self) -> None:
        """Take nothing more in, let what is on its way arrive, put on record what came of it, close."""
        if hasattr(self, "_listener"):
            await self._listener.stop()
        if hasattr(self, "_keys"):
            await self.intake.drain()
            if self._sends:
                await self.dispatch.stop(DRAIN_SECONDS)
                await self.binds.stop(DRAIN_SECONDS)
                await self.dispatch.drain()
                await self.callbacks.stop()
                for ledger in self._ledgers:
                    await ledger.drain()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if hasattr(self, "_keys") and self._sends:
            await self.leases.stop()
        await self._stack.aclose()

    # Who tells whom

    def _messages_made(self, messages: Sequence[Message]) -> None:
        if self._sends:
            self.dispatch.hand_over(messages)

    def _callbacks_made(self, callbacks: Sequence[Callback]) -> None:
        if self._sends:
            self.callbacks.hand_over(callbacks)

    async def _gained(self, leases: Sequence[Lease]) -> None:
        by_bound: dict[Any, list[int]] = {}
        for lease in leases:
            by_bound.setdefault(lease.settled_before, []).append(lease.bucket)
        for since, buckets in by_bound.items():
            if found := await self.dispatch.gained(buckets, since):
                log.info("unsettled messages found", extra={"messages": found})
        self._unreported.gained([lease.bucket for lease in leases])
        self._timers.wake()

    async def _lost(self, buckets: Sequence[int]) -> None:
        self._unreported.lost(buckets)
        await self.dispatch.lost(buckets)

    def _owned(self) -> list[int]:
        return self.leases.owned()

    def _number_of(self, address: str) -> str:
        """The customer behind an address as the SMSC writes it; what is no number of ours stays as it is."""
        return parse_msisdn(address, self._regions()) or address.removeprefix("+")

    def _regions(self) -> tuple[str, ...]:
        return self._accepted

    # What runs beside

    def _services(self) -> Services:
        return Services(
            intake=self.intake,
            dispatch=self.dispatch,
            confirmations=Confirmations(self.database, self._conversations, self.now),
            evidence=Evidence(self.database, self.now),
            callbacks=self.callbacks,
            webhooks=self._webhooks,
            inbox=Inbox(self.database, self._conversations, self.now),
            lookups=Lookups(self.database, self.now, self._regions),
            reports=self._reports,
            subscriptions=Subscriptions(self.database, self.now, self._regions),
            contacts=Contacts(self.database, self._conversations, self.now, self._regions),
            keys=self._keys,
            ways=self.binds if self._sends else None,
            checks=self._checks(),
        )

    def _checks(self) -> dict[str, Check]:
        async def database() -> tuple[bool, str]:
            async with self.database.connection() as connection:
                await connection.fetchval("SELECT 1")
            return True, "answers"

        async def smsc() -> tuple[bool, str]:
            return self.binds.able()

        async def leases() -> tuple[bool, str]:
            return self.leases.live(), f"{len(self.leases.owned())} of 256 buckets"

        return (
            {"database": database, "smsc": smsc, "leases": leases} if self._sends else {"database": database}
        )

    def _upkeep(self) -> Upkeep:
        retention = self.settings.retention
        return Upkeep(
            self.database,
            messages_kept=retention.messages,
            replies_kept=retention.replies,
            early_receipts_kept=self.settings.delivery.early_receipts,
            evidence_kept=retention.evidence,
            now=self.now,
        )

    async def _sweep(self) -> None:
        """Find what no bell announced."""
        strays_at = 0.0
        while True:
            pause, back = SWEEP_FOR_OTHERS
            await asyncio.sleep(pause)
            if time.monotonic() - strays_at >= SWEEP_FOR_STRAYS[0]:
                strays_at, back = time.monotonic(), SWEEP_FOR_STRAYS[1]
            elif not self.leases.others:
                continue
            try:
                others = self.leases.others > 0
                await self.dispatch.look_for_strays(floor_at(self.now() - back), all_of_it=others)
                await self._receipts.look_again()
            except StorageUnavailable as error:
                log.debug("sweep put off", extra={"why": str(error)})

    async def _observe(self) -> None:
        """Figures that are looked at rather than counted."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_SECONDS
            await asyncio.sleep(LAG_SECONDS)
            telemetry.LOOP_LAG.observe(max(0.0, loop.time() - due))
            if self._sends:
                self.dispatch.observe()
                self.binds.observe()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work))
