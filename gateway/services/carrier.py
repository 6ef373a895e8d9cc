"""What dispatch and the carrier say to each other: parcels out, outcomes back. Of SMPP it knows nothing."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import NamedTuple, Protocol

from gateway.services.flights import Segment


class Parcel(NamedTuple):
    """One short message for the carrier. `token` comes back with its outcome."""

    token: Segment
    destination: str
    sender: str
    payload: bytes
    esm_class: int
    data_coding: int
    report: bool
    expires_at: datetime | None


class Fate(Enum):
    """What the carrier says of a parcel."""

    TAKEN = auto()  #: the SMSC answered OK
    PUT_OFF = auto()  #: refused for now
    REFUSED = auto()  #: refused for good
    LOST = auto()  #: written, and no answer
    UNSENT = auto()  #: not one octet was written, or the SMSC said that it did not look at it
    HELD = auto()  #: refused because of its sender: it waits, and no patience is consumed


class Outcome(NamedTuple):
    """The carrier's answer. `key` is how a receipt will name it, after the route's rules."""

    token: Segment
    fate: Fate
    route: str
    smsc_id: str | None = None
    key: str | None = None
    command_status: int | None = None
    reason: str | None = None
    pauses: tuple[timedelta, ...] | None = None  #: of PUT_OFF, one a refusal; none: 30 s, 2 min, 10 min
    detail: str | None = None  #: the PDU, hex, where the refusal is our fault


class Carrier(Protocol):
    """Whoever brings parcels to the SMSC. It tells outcomes through `Dispatch.outcomes`."""

    def room(self) -> int:
        """How many parcels may be handed over now."""

    def submit(self, parcels: Sequence[Parcel]) -> None:
        """Take them. Each comes back as one outcome, and perhaps a second, late one."""


class Ownership(Protocol):
    """Which buckets are ours, and under which epoch."""

    def epoch(self, bucket: int) -> int | None:
        """The epoch of our lease on a bucket; None: it is not ours."""

    def live(self) -> bool:
        """Whether our leases hold at this very moment, by the clock that no pause stops."""


class EarlyReceipts(Protocol):
    """Receipts that came before their response."""

    def claim(self, route: str, key: str, segment: Segment) -> None:
        """A response names this id: see whether its receipt is already here."""

    def claim_unknown(self, segment: Segment) -> None:
        """No response came: see whether a receipt that nobody could place is about this segment."""
