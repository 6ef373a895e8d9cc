"""The ways to the phone as people see them: routes, binds, and the PDUs that passed. Types and one port.

The binds fill them in; HTTP, the command line and the console show them.
"""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Protocol

import msgspec


class RoundTrip(msgspec.Struct, frozen=True, kw_only=True):
    """From a request to its response, over the last few minutes: milliseconds."""

    count: int
    p50: float
    p95: float
    p99: float
    slowest: float


class BindState(msgspec.Struct, frozen=True, kw_only=True):
    """One session that is kept up."""

    name: str
    route: str
    mode: str  #: transceiver, transmitter, receiver
    system_id: str
    address: str  #: host:port
    state: str  #: connecting, open, bound_tx, bound_rx, bound_trx, unbinding, down
    since: datetime | None  #: of this state; of a bind that is down, since when it is
    again_at: datetime | None  #: when the next try to connect is made
    in_flight: int
    window: int
    waiting: int  #: parcels that the bind keeps: behind another one to the same number, or refused for now
    rate: float | None  #: PDUs a second that it holds to now; none: no limit
    limit: float | None  #: what is configured
    learned: float | None  #: what refusals, latency and congestion_state taught
    congestion: int | None  #: congestion_state as last told, 0 to 100
    paused_until: datetime | None
    submitted: int  #: answered OK; this and the four below since the start of the process
    refused: int
    throttled: int
    unanswered: int  #: time ran out
    delivered: int  #: deliver_sm and data_sm answered OK
    round_trip: RoundTrip | None
    heard_at: datetime | None
    last_error: str


class RouteState(msgspec.Struct, frozen=True, kw_only=True):
    """One SMSC with our account there."""

    name: str
    profile: str
    state: str  #: up; sending only: none receives; throttled; failing: its circuit is open; down: none sends
    why: str  #: in words, when it is not up
    binds: list[BindState]
    receipts_outstanding: int  #: segments taken and not reported yet
    oldest_receipt_due: datetime | None  #: when the oldest message without its receipt was taken
    stopped_senders: list[str]
    alarms: list[str]  #: sentences, newest first
    unmapped: dict[str, int]  #: command_status that no table explains → how often


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """One PDU that passed."""

    at: datetime
    bind: str
    way: str  #: in, out
    words: str  #: decoded; numbers and texts masked unless they were asked for open
    octets: str | None = None  #: hex, only where it was asked for open; never those of a password
    lost: int = 0  #: so many are missing here, because the reader was too slow for them


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which PDUs are wanted. All that is said must hold."""

    bind: str | None = None
    number: str | None = None  #: the customer's, digits
    smsc_ids: tuple[str, ...] = ()  #: of the message: its answers and receipts
    quiet: bool = True  #: enquire_link left out
    open: bool = False  #: nothing masked


class Ways(Protocol):
    """What the binds tell."""

    def routes(self) -> Sequence[RouteState]:
        """Every route with its binds, in the order of the configuration."""

    async def passed(self, wanted: Wanted, limit: int) -> Sequence[Frame]:
        """The last of them that passed, oldest first, as far back as memory goes."""

    def follow(self, wanted: Wanted, last: int = 0) -> AsyncGenerator[Frame, None]:
        """The `last` that passed, and then those that pass from now on. To be closed by who opened it."""
