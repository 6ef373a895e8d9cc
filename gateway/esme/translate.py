"""Between our words and SMPP's: parcels to submit_sm, deliver_sm to receipts and customers' messages."""

import math
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from gateway.esme.route import Route
from gateway.services.carrier import Fate, Parcel
from gateway.services.inbound import ShortMessage
from gateway.services.receipts import Receipt, Verdict
from gateway.smpp import receipt as receipts
from gateway.smpp import status
from gateway.smpp.codec import SubmitTemplate
from gateway.smpp.constants import Tag
from gateway.smpp.pdu import DataSm, DeliverSm
from gateway.smpp.session import Session

#: Templates kept: one a sender address, and extensions make many of them.
TEMPLATES: Final = 4096

_FULL_QUEUES: Final = frozenset({status.ESME_RMSGQFUL, status.ESME_RSUBMITFAIL})
_HELD: Final = getattr(Fate, "HELD", Fate.REFUSED)

# --- Out: parcels ----------------------------------------------------------------------------------------


class Writer:
    """Writes a route's submit_sm after its profile. What never changes is encoded once a sender."""

    def __init__(self, route: Route) -> None:
        self._profile = route.profile
        self._templates: dict[str, SubmitTemplate] = {}

    def submit(self, session: Session, parcel: Parcel, clock: float, now: datetime) -> int:
        """Queue one parcel as submit_sm; its sequence number. Raises `EncodeError`."""
        return session.submit(
            self._templates.get(parcel.sender) or self._template(parcel.sender),
            parcel.destination,
            parcel.payload,
            clock,
            parcel,
            esm_class=parcel.esm_class,
            data_coding=parcel.data_coding,
            registered_delivery=None if parcel.report else 0,
            validity_period=validity(parcel.expires_at, now),
        )

    def _template(self, sender: str) -> SubmitTemplate:
        if len(self._templates) >= TEMPLATES:
            self._templates.clear()
        ton, npi = type_of(sender)
        template = self._templates[sender] = SubmitTemplate(
            source_addr_ton=ton,
            source_addr_npi=npi,
            source_addr=sender,
            dest_addr_ton=1,
            dest_addr_npi=1,
            registered_delivery=1,
        )
        return template


class Templates:
    """The constant head and tail of a route's submit_sm, one for each sender address."""

    def __init__(self) -> None:
        self._known: dict[str, SubmitTemplate] = {}

    def of(self, sender: str) -> SubmitTemplate:
        """The template for messages from this address."""
        template = self._known.get(sender)
        if template is None:
            if len(self._known) >= TEMPLATES:
                self._known.clear()
            ton, npi = type_of(sender)
            template = self._known[sender] = SubmitTemplate(
                source_addr_ton=ton,
                source_addr_npi=npi,
                source_addr=sender,
                dest_addr_ton=1,
                dest_addr_npi=1,
                registered_delivery=1,
            )
        return template


def type_of(sender: str) -> tuple[int, int]:
    """TON and NPI of a sender address (SMPP 3.4 §5.2.5, §5.2.6): letters, a short code, or E.164."""
    if not sender.isdecimal():
        return 5, 0
    return (3, 0) if len(sender) < 10 else (1, 1)


def validity(expires_at: datetime | None, now: datetime) -> str | None:
    """The relative form of SMPP 3.4 §7.1.1.2, in whole minutes so that few different ones exist."""
    if expires_at is None:
        return None
    minutes = max(1, min(math.ceil((expires_at - now).total_seconds() / 60), 364 * 24 * 60))
    days, minutes = divmod(minutes, 24 * 60)
    hours, minutes = divmod(minutes, 60)
    months, days = divmod(days, 30)
    return f"00{months:02}{days:02}{hours:02}{minutes:02}00000R"


# --- What an answer means --------------------------------------------------------------------------------


class Judgement(NamedTuple):
    """What an answer means for its parcel. `fate` None: it is a matter of the bind, which sends it again."""

    fate: Fate | None
    verdict: status.Verdict  #: THROTTLE or LINK where the fate is None; VENDOR: no table explains the code
    sentence: str
    alarm: bool  #: a person has to look: our configuration, or our fault
    pauses: tuple[timedelta, ...] | None  #: of PUT_OFF; None: the usual ones


def judge(route: Route, command_status: int, refusals: int, window_full: bool) -> Judgement:
    """An answer judged by the route's own table, else by the standard one. `refusals` came before it."""
    row = status.lookup(command_status)
    ruling = route.profile.statuses.get(command_status)
    verdict = row.verdict
    pauses = None
    if ruling is not None:
        verdict, pauses = ruling.verdict, ruling.pauses
    elif window_full and command_status in _FULL_QUEUES:
        # With room in the window it would be this recipient's queue; without, it is the bind's.
        verdict = status.Verdict.THROTTLE
    fate = _FATES[verdict]
    if verdict is status.Verdict.VENDOR and refusals == 0:
        fate = Fate.PUT_OFF  # unmapped: once more, and then it is refused
    return Judgement(fate, verdict, row.sentence, verdict in _ALARMING, pauses)


_FATES: Final[Mapping[status.Verdict, Fate | None]] = {
    status.Verdict.OK: Fate.TAKEN,
    status.Verdict.THROTTLE: None,
    status.Verdict.LINK: None,
    status.Verdict.TEMPORARY: Fate.PUT_OFF,
    status.Verdict.RECIPIENT: Fate.REFUSED,
    status.Verdict.SENDER: _HELD,
    status.Verdict.OURS: Fate.REFUSED,
    status.Verdict.VENDOR: Fate.REFUSED,
}
_ALARMING: Final = frozenset({status.Verdict.SENDER, status.Verdict.OURS})


def fate_of(command_status: int, refusals: int, window_full: bool) -> Fate | None:
    """What an answer means for its parcel; None: for the bind, which is to send it again."""
    return judge(_ANY, command_status, refusals, window_full).fate


_ANY: Final = Route(name="", accounts=())


# --- In: receipts and customers' messages ----------------------------------------------------------------


def key_of_response(route: Route, message_id: str) -> str:
    """What makes the id of a response comparable with that of a receipt."""
    return receipts.response_key(message_id, route.habits)


def key_of_receipt(route: Route, message_id: str) -> str:
    """The same, of a receipt's id."""
    return receipts.receipt_key(message_id, route.habits)


def receipt_of(pdu: DeliverSm | DataSm, route: Route, number_of: Callable[[str], str]) -> Receipt | None:
    """The receipt in it, in our words; None: it is a customer's message."""
    read = receipts.parse(pdu, route.habits)
    if read is None:
        return None
    if read.state is receipts.State.DELIVERED:
        verdict = Verdict.DELIVERED
    elif read.final:
        verdict = Verdict.FAILED
    else:
        verdict = Verdict.NOTHING_YET
    return Receipt(
        route.name,
        read.message_id,
        key_of_receipt(route, read.message_id),
        number_of(pdu.source_addr),
        verdict,
        str(read.state),
        read.err,
        f"stat:{read.word or read.state} err:{read.err} submit:{read.submit_date} done:{read.done_date}",
    )


def short_message_of(
    pdu: DeliverSm | DataSm,
    route: Route,
    session: str,
    received_at: datetime,
    number_of: Callable[[str], str],
) -> ShortMessage:
    """A customer's message, its octets untouched."""
    payload = pdu.short_message if isinstance(pdu, DeliverSm) else b""
    if not payload:
        payload = pdu.tlvs.get(Tag.MESSAGE_PAYLOAD, b"")
    return ShortMessage(
        route=route.name,
        session=session,
        msisdn=number_of(pdu.source_addr),
        address=pdu.destination_addr,
        esm_class=pdu.esm_class,
        data_coding=pdu.data_coding,
        payload=payload,
        reference=_number(pdu.tlvs.get(Tag.SAR_MSG_REF_NUM)),
        total=_number(pdu.tlvs.get(Tag.SAR_TOTAL_SEGMENTS)),
        number=_number(pdu.tlvs.get(Tag.SAR_SEGMENT_SEQNUM)),
        received_at=received_at,
    )


def _number(octets: bytes | None) -> int | None:
    return int.from_bytes(octets, "big") if octets else None
