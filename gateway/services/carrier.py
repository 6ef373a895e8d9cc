"""What dispatch and the carrier say to each other: parcels out, outcomes back. Of SMPP it knows nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import NamedTuple, Protocol

from gateway.domain.handling import Handling
from gateway.domain.message import Message
from gateway.domain.steering import Course
from gateway.services.cuts import Order, ReportOn
from gateway.services.flights import Segment
from gateway.sms.cutting import Cutting


class Place(NamedTuple):
    """Which part of its text a parcel is, where the text itself does not say so."""

    join: str
    reference: int
    total: int
    number: int


class Parcel(NamedTuple):
    """One short message for the carrier. `token` comes back with its outcome."""

    token: Segment
    route: str  #: where the offer placed it
    destination: str
    sender: str
    payload: bytes  #: of this segment; the whole text where it is not cut
    esm_class: int
    data_coding: int
    report: bool
    expires_at: datetime | None
    place: Place | None = None
    handling: Handling | None = None


class Fate(Enum):
    """What the carrier says of a parcel."""

    TAKEN = auto()  #: the SMSC answered OK
    PUT_OFF = auto()  #: refused for now
    REFUSED = auto()  #: refused for good
    LOST = auto()  #: written, and no answer; with a command_status: answered, but with no id for receipts
    UNSENT = auto()  #: not one octet was written, or the SMSC said that it did not look at it
    HELD = auto()  #: refused because of its sender: it waits, and nobody's patience is used up


class Outcome(NamedTuple):
    """The carrier's answer. `key` is how a receipt will name it, after the route's rules."""

    token: Segment
    fate: Fate
    route: str
    smsc_id: str | None = None
    key: str | None = None
    command_status: int | None = None
    reason: str | None = None
    pauses: tuple[timedelta, ...] | None = None  #: of PUT_OFF; none: the usual ones
    detail: str | None = None  #: the PDU in hex, when the refusal is our own fault


class Channel(NamedTuple):
    """Where a message queues: those of one channel may go the same ways and do not overtake each other."""

    course: Course
    sender: str  #: the number of ours without its extension


class Offer(Protocol):
    """The room of all routes at one moment. What is placed uses it up."""

    def place(self, channel: Channel, segments: int, msisdn: str = "") -> str | None:
        """The route that takes so many segments to a number; None: nothing of its channel can go now."""

    def takes(self, msisdn: str) -> bool:
        """Whether one more message to this number may be placed: each has but a few under way."""


class Carrier(Protocol):
    """Whoever brings parcels to the SMSC. It tells outcomes through `Dispatch.outcomes`."""

    def channel(self, message: Message) -> Channel:
        """Where it queues."""

    def cutting(self, route: str) -> Cutting:
        """How texts are cut that go by this route."""

    def order(self, route: str) -> Order:
        """In which order the segments of a text are written."""

    def report_on(self, route: str) -> ReportOn:
        """For which of them a receipt is asked."""

    def offer(self, reserved: Mapping[str, int]) -> Offer:
        """The room there is, without what is reserved on each route for attempts being committed."""

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
