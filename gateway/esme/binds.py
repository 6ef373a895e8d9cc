"""All binds of all routes: kept up, chosen from, and taken down. This is the carrier that dispatch knows."""

import asyncio
import logging
import random
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from gateway.domain.handling import Handling
from gateway.domain.message import Message
from gateway.domain.steering import Steering
from gateway.esme import figures
from gateway.esme.alarms import Alarms
from gateway.esme.choosing import Chooser, RoomOffer
from gateway.esme.link import Ears, Link
from gateway.esme.order import Numbers
from gateway.esme.outages import Outages
from gateway.esme.route import BindMode, Route
from gateway.esme.slots import Slot, reasons
from gateway.esme.tape import Tapes
from gateway.esme.translate import key_of_receipt, key_of_response, unable_to_keep
from gateway.esme.trouble import unbound_in_words
from gateway.services.carrier import (
    Channel,
    Fate,
    Outcome,
    Parcel,
)
from gateway.services.cuts import Order, ReportOn
from gateway.services.flights import Outgoing
from gateway.services.ways import BindState, Frame, RouteState, Wanted
from gateway.smpp import status
from gateway.smpp.receipt import alike
from gateway.sms.cutting import PLAIN, Cutting

log = logging.getLogger(__name__)

FIRST_PAUSE: Final = 0.3
LONGEST_PAUSE: Final = 30.0
#: A session that ends sooner than this was no success: the pauses go on growing.
STABLE_SECONDS: Final = 5.0
#: After a refused login, and up to a fifth more: soon enough for a typo mended, slow enough that no account
#: is locked. ESME_RALYBND is none: often the SMSC has only not noticed yet that the last session is gone.
LOGIN_PAUSE: Final = 60.0
CONNECT_SECONDS: Final = 10.0
_LOGIN_REFUSED: Final = frozenset({status.ESME_RBINDFAIL, status.ESME_RINVPASWD, status.ESME_RINVSYSID})


class Binds:
    """Keeps every configured session bound, chooses routes, and shares parcels among the binds."""

    def __init__(
        self,
        routes: Sequence[Route],
        *,
        steering: Steering | None = None,
        senders: Mapping[str, float] | None = None,
        seed: int | None = None,
    ) -> None:
        """`senders`: numbers of ours with their PDUs a second over all binds, 0 for no limit."""
        self._routes = {route.name: route for route in routes}
        self._ears: Ears | None = None
        self._random = random.Random(seed)  # noqa: S311 - jitter
        self._slots = [
            Slot(route, account, f"{route.name}/{account.mode}-{number}", datetime.now(UTC))
            for route in routes
            for account in route.accounts
            for number in range(1, route.binds + 1)
        ]
        self._of_route = {name: [s for s in self._slots if s.route.name == name] for name in self._routes}
        self._chooser = Chooser([*self._routes], steering, senders or {}, time.monotonic, self._bears)
        self._numbers: Numbers[Link] = Numbers()  # one for all: a number's messages may change routes
        self._outages = {name: Outages(name) for name in self._routes}
        self._alarms = {name: Alarms(name, self._chooser.number_of) for name in self._routes}
        self.tapes = Tapes(slot.tape for slot in self._slots)
        #: How many segments of a route wait for their receipt, and since when the oldest one.
        self.awaiting: Callable[[str], tuple[int, datetime | None]] = lambda _: (0, None)
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    def start(self, ears: Ears) -> None:
        """Begin to connect. What arrives goes to `ears`."""
        self._ears = ears
        heard = replace(ears, outcomes=self._heard)
        self._tasks = [asyncio.create_task(self._keep_up(slot, heard)) for slot in self._slots]

    def steer(self, steering: Steering, senders: Mapping[str, float]) -> None:
        """Another routing table and other rates of senders from now on."""
        self._chooser.steer(steering, senders)
        for slot in self._slots:
            if slot.link is not None:
                slot.link.steered()

    # The carrier

    def channel(self, message: Message) -> Channel:
        """Where a message queues."""
        return self._chooser.channel(message)

    def cutting(self, route: str) -> Cutting:
        """How texts are cut that go by this route."""
        known = self._routes.get(route)
        return known.cutting if known else PLAIN

    def estimate(self, to: str, sender: str, lane: str) -> Cutting:
        """How a message is cut if it goes by the route that its course prefers."""
        first = self._chooser.steering.course(to, sender, lane).first
        return PLAIN if first is None else self.cutting(first)

    def unable(self, to: str, sender: str, lane: str, handling: Handling) -> str:
        """Why no route that a message may take can do what it asks for; empty: one can."""
        course = self._chooser.steering.course(to, sender, lane)
        told = ""
        for name in (*(name for name, _ in course.to), *course.backup):
            if (route := self._routes.get(name)) is not None:
                told = unable_to_keep(route.profile, handling.deliver_at, self._now())
                if not told:
                    return ""
        return told

    def _bears(self, route: str, handling: Handling) -> bool:
        known = self._routes.get(route)
        return known is None or not unable_to_keep(known.profile, handling.deliver_at, self._now())

    def _now(self) -> datetime:
        return datetime.now(UTC) if self._ears is None else self._ears.now()

    def order(self, route: str) -> Order:
        """In which order the segments of a text are written."""
        known = self._routes.get(route)
        return known.profile.order if known else "first-first"

    def report_on(self, route: str) -> ReportOn:
        """For which of them a receipt is asked."""
        known = self._routes.get(route)
        return known.profile.receipts.ask if known else "each"

    def room(self) -> int:
        """How many parcels all binds together take now, for whoever hands over without a queue."""
        return sum(slot.link.room for slot in self._slots if slot.link is not None)

    def offer(self, reserved: Mapping[str, int]) -> RoomOffer:
        """The room of each route, without what is reserved."""
        return self._chooser.offer(
            {
                name: sum(slot.link.room for slot in slots if slot.link is not None) - reserved.get(name, 0)
                for name, slots in self._of_route.items()
            },
            self._numbers.is_busy,
        )

    def submit(self, parcels: Sequence[Parcel]) -> None:
        """Hand parcels to the binds of their routes; what none takes comes back unsent."""
        by_route: dict[str, list[Parcel]] = {}
        for parcel in parcels:
            by_route.setdefault(parcel.route, []).append(parcel)
        for name, those in by_route.items():
            rest = self._share(self._of_route.get(name, ()), those)
            if rest and self._ears is not None:
                self._ears.outcomes([Outcome(parcel.token, Fate.UNSENT, name) for parcel in rest])

    def _share(self, slots: Sequence[Slot], parcels: list[Parcel]) -> list[Parcel]:
        """Share among the binds of one route; what is left over, for none of them sends.

        The parts of a message go together, and to where another one to its number is under way: elsewhere it
        would only wait, or be there first if both come now. Else the bind with most room takes it.
        """
        room = {link: link.room for slot in slots if (link := slot.link) is not None and link.usable}
        if len(room) < 2:
            for link in room:
                link.submit(parcels)
            return [] if room else parcels
        shares: dict[Link, list[Parcel]] = {link: [] for link in room}
        numbers: dict[str, Link] = {}
        before: Outgoing | None = None
        chosen: Link | None = None
        for parcel in parcels:
            if chosen is None or parcel.token.outgoing is not before:
                before = parcel.token.outgoing
                chosen = numbers.get(parcel.destination) or self._numbers.link_of(parcel.destination)
                if chosen is None or chosen not in room:
                    chosen = max(room, key=room.__getitem__)
                numbers[parcel.destination] = chosen
            shares[chosen].append(parcel)
            room[chosen] -= 1
        for link, share in shares.items():
            if share:
                link.submit(share)
        return []

    def _heard(self, outcomes: Sequence[Outcome]) -> None:
        failing = self._chooser.heard(outcomes)
        if self._ears is not None:
            self._ears.outcomes(outcomes)
        if failing is not None:
            for slot in self._of_route[failing]:
                if slot.link is not None:
                    slot.link.give_back()

    def is_live(self, session: str) -> bool:
        """Whether this very connection is still up."""
        return any(slot.link is not None and slot.link.session == session for slot in self._slots)

    def response_key(self, route: str, message_id: str) -> str:
        """What makes a response's id comparable, after the rules of its route."""
        known = self._routes.get(route)
        return key_of_response(known, message_id) if known else message_id

    def receipt_key(self, route: str, message_id: str) -> str:
        """The same, of a receipt's id."""
        known = self._routes.get(route)
        return key_of_receipt(known, message_id) if known else message_id

    def alike(self, responded: str, receipted: str) -> bool:
        """Whether two ids of one customer's messages may be one, written in ways that no setting names."""
        return alike(responded, receipted)

    # Keeping up

    async def _keep_up(self, slot: Slot, ears: Ears) -> None:
        route = slot.route.name
        clock = asyncio.get_running_loop().time
        pause = FIRST_PAUSE
        while not self._stopping:
            link = Link(
                slot.route,
                slot.account,
                slot.name,
                ears,
                numbers=self._numbers,
                alarms=self._alarms[route],
                tape=slot.tape,
                number_of=self._chooser.number_of,
                leaving=lambda: self._look_at(route),
                known=slot.was_bound,
            )
            slot.connects()
            why, began = "", clock()
            try:
                why = await self._session(link, slot)
            except Exception as error:  # whatever it is: this bind has to come up again
                if not isinstance(error, OSError | UnicodeError):
                    log.exception("bind failed", extra={"bind": slot.name})
                tls = slot.route.tls is not None
                why = unbound_in_words(error, tls=tls, connected=False, known=slot.was_bound)
            finally:
                bound = link.bound.done() and not link.bound.cancelled()
                slot.failed(why or "closed", ears.now())
                link.abort()
                self._look_at(route)
            if self._stopping:
                return
            if bound and clock() - began >= STABLE_SECONDS:
                pause = FIRST_PAUSE
            wait = pause * self._random.uniform(0.7, 1.0)
            if link.bind_refused in _LOGIN_REFUSED:
                wait = LOGIN_PAUSE * self._random.uniform(1.0, 1.2)
            self._outages[route].failed(slot.name, why, wait, clock())
            pause = min(pause * 2, LONGEST_PAUSE)
            slot.again_at = ears.now() + timedelta(seconds=wait)
            await asyncio.sleep(wait)

    async def _session(self, link: Link, slot: Slot) -> str:
        """One connection from its beginning to its end; why it ended."""
        await self._connect(link, slot)
        slot.link = link
        await asyncio.wait((link.bound, link.ended), return_when=asyncio.FIRST_COMPLETED)
        if link.bound.done() and not link.bound.cancelled():
            log.info("bound", extra={"bind": slot.name})
            slot.bound()
            self._outages[slot.route.name].ended()
            self._look_at(slot.route.name)
        return await link.ended

    def _look_at(self, route: str) -> None:
        """Whether some bind of a route sends, has changed, perhaps."""
        path = self._chooser.paths[route]
        if any(slot.sends for slot in self._of_route[route]):
            path.down_since = None
        elif path.down_since is None:
            path.down_since = time.monotonic()

    async def _connect(self, link: Link, slot: Slot) -> None:
        loop = asyncio.get_running_loop()
        route = slot.route
        async with asyncio.timeout(CONNECT_SECONDS):
            await loop.create_connection(
                lambda: link,
                slot.account.host,
                slot.account.port,
                ssl=route.tls,
                server_hostname=(route.tls_server_name or slot.account.host) if route.tls else None,
            )

    async def stop(self, patience: float) -> None:
        """Unbind everywhere, waiting for what is in flight; then close."""
        self._stopping = True
        links = [slot.link for slot in self._slots if slot.link is not None]
        for link in links:
            link.unbind()
        if links:
            await asyncio.wait([link.ended for link in links], timeout=patience)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # What people see

    def routes(self) -> Sequence[RouteState]:
        """Every route with its binds, in the order of the configuration."""
        return [self._route_state(name) for name in self._routes]

    def _route_state(self, name: str) -> RouteState:
        binds = [slot.state_of() for slot in self._of_route[name]]
        state, why = self._judged(name, binds)
        outstanding, oldest = self.awaiting(name)
        alarms = self._alarms[name]
        return RouteState(
            name=name,
            profile=self._routes[name].profile.name,
            state=state,
            why=why,
            binds=binds,
            receipts_outstanding=outstanding,
            oldest_receipt_due=oldest,
            stopped_senders=self._chooser.stopped(name),
            alarms=alarms.told(),
            unmapped=alarms.unexplained(),
        )

    def _judged(self, name: str, binds: Sequence[BindState]) -> tuple[str, str]:
        """The state of a route, and why it is not up."""
        slots = self._of_route[name]
        path = self._chooser.paths[name]
        if not any(slot.sends for slot in slots):
            return "down", self._down(name) or "it only receives"
        if path.circuit.opened_at is not None:
            return "failing", "most of its answers were failures; a few messages try whether it works again"
        if not any(slot.hears for slot in slots):
            deaf = [slot for slot in slots if slot.receives]
            return "sending only", f"nothing is received: {reasons(deaf) or 'no bind is there for it'}"
        paused = [bind.name for bind in binds if bind.paused_until is not None]
        if paused:
            return "throttled", f"{', '.join(paused)}: the SMSC wants it slower"
        return "up", ""

    def _down(self, route: str) -> str:
        """Why no bind of a route sends."""
        slots = [slot for slot in self._of_route[route] if slot.account.mode is not BindMode.RECEIVER]
        return reasons(slots)

    async def passed(self, wanted: Wanted, limit: int) -> Sequence[Frame]:
        """The last PDUs that passed."""
        return await self.tapes.passed(wanted, limit)

    def follow(self, wanted: Wanted, last: int = 0) -> AsyncGenerator[Frame, None]:
        """The `last` that passed, and then those that pass from now on."""
        return self.tapes.follow(wanted, last)

    def able(self) -> tuple[bool, str]:
        """Whether messages can go out; why not, or which routes can't take any."""
        down = {
            name: why
            for name, slots in self._of_route.items()
            if not any(slot.sends for slot in slots) and (why := self._down(name))
        }
        if not any(slot.sends for slot in self._slots):
            return False, "; ".join(down.values()) or "no [smsc.…] is configured"
        deaf = [name for name in self._routes if self._route_state(name).state == "sending only"]
        told = [f"down: {', '.join(down)}"] if down else []
        told += [f"nothing is received: {', '.join(deaf)}"] if deaf else []
        return True, "; ".join(["bound", *told])

    def observe(self) -> None:
        """Show states, windows, rates and receipts as figures."""
        for route in self.routes():
            figures.show(route, self._now())
