"""Between our words and SMPP's: parcels to submit_sm, answers to fates, deliver_sm to receipts and customers'
messages; all after the profile of their route."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple

from gateway.domain.handling import Handling
from gateway.esme.profile import Mo, Numbering, Profile, Source, zone_of
from gateway.esme.route import Account, BindMode, Route
from gateway.services.carrier import Fate, Parcel, Place
from gateway.services.inbound import ShortMessage
from gateway.services.receipts import Receipt, Verdict
from gateway.smpp import receipt as receipts
from gateway.smpp import status, times, tlv
from gateway.smpp.codec import SubmitTemplate
from gateway.smpp.constants import RECEIPT_ALWAYS, RECEIPT_INTERMEDIATE, RECEIPT_ON_FAILURE, Tag
from gateway.smpp.errors import EncodeError
from gateway.smpp.pdu import BindReceiver, BindTransceiver, BindTransmitter, DataSm, DeliverSm, Pdu
from gateway.smpp.session import Session
from gateway.sms import udh
from gateway.sms.coding import unpacked, with_class
from gateway.sms.cutting import Join

#: Templates kept: one a sender address, and extensions make many of them.
TEMPLATES: Final = 4096

_FULL_QUEUES: Final = frozenset({status.ESME_RMSGQFUL, status.ESME_RSUBMITFAIL})
#: The longest that the relative form tells: twelve months of 30 days, and 4.
_LONGEST: Final = timedelta(days=364)
#: The longest that it tells to the day.
_EXACT: Final = timedelta(days=31)
_NOTHING: Final = Handling()

# --- Logging in ------------------------------------------------------------------------------------------

_BINDS: Final = {
    BindMode.TRANSCEIVER: BindTransceiver,
    BindMode.TRANSMITTER: BindTransmitter,
    BindMode.RECEIVER: BindReceiver,
}
_VERSIONS: Final = {"3.3": 0x33, "3.4": 0x34, "5.0": 0x50}


def bind_of(route: Route, account: Account) -> Pdu:
    """The request that logs in."""
    habits = route.profile.bind
    return _BINDS[account.mode](
        system_id=account.system_id,
        password=account.password,
        system_type=account.system_type,
        interface_version=_VERSIONS[habits.version],
        addr_ton=habits.ton,
        addr_npi=habits.npi,
        address_range=account.address_range,
    )


# --- Out: parcels ----------------------------------------------------------------------------------------


class Writer:
    """Writes a route's submit_sm after its profile. What never changes is encoded once a sender."""

    def __init__(self, route: Route, number_of: Callable[[str], str] = str) -> None:
        """`number_of`: the number of ours that a sender address belongs to; empty: of none."""
        profile = route.profile
        self._number_of = number_of
        self._profile = profile
        self._cutting = route.cutting
        self._zone = zone_of(profile) or UTC
        self._codings = {
            coding: own
            for coding, own in ((0x00, profile.text.gsm7_coding), (0x08, profile.text.ucs2_coding))
            if coding != own
        }
        self._registered = (
            RECEIPT_ALWAYS if profile.report == "always" else RECEIPT_ON_FAILURE
        ) | profile.intermediate * RECEIPT_INTERMEDIATE
        #: Nothing of a parcel has to be looked at that is not written as it stands.
        self._plain = not (
            self._codings or profile.esm_class or profile.destination.form in ("plus", "zeros", "national")
        )
        self._templates: dict[str, SubmitTemplate] = {}
        self._rarer: dict[tuple[str, bool, frozenset[int]], SubmitTemplate] = {}
        self._validities: dict[int, str] = {}

    def submit(self, session: Session, parcel: Parcel, clock: float, now: datetime) -> int:
        """Queue one parcel as submit_sm; its sequence number. Raises `EncodeError`."""
        if parcel.place is not None or parcel.handling is not None or not self._plain:
            return self._submit_specially(session, parcel, clock, now)
        expires_at = parcel.expires_at
        return session.submit(
            self._templates.get(parcel.sender) or self._template(parcel.sender),
            parcel.destination,
            parcel.payload,
            clock,
            parcel,
            esm_class=parcel.esm_class,
            data_coding=parcel.data_coding,
            registered_delivery=None if parcel.report else 0,
            validity_period=None if expires_at is None else self._validity(expires_at, now),
        )

    def _submit_specially(self, session: Session, parcel: Parcel, clock: float, now: datetime) -> int:
        handling = parcel.handling or _NOTHING
        payload = parcel.payload
        tlvs: dict[int, bytes] = {}
        if parcel.place is not None:
            payload, tlvs = _placed(parcel.payload, parcel.place)
        tlvs.update(handling.parameters)
        destination, national = self._written(parcel.destination)
        expires_at = parcel.expires_at
        return session.submit(
            self._rarer_template(parcel.sender, national, frozenset(tlvs)),
            destination,
            payload,
            clock,
            parcel,
            esm_class=parcel.esm_class | self._profile.esm_class,
            data_coding=self._coding(parcel.data_coding, flash=handling.flash),
            priority_flag=handling.priority,
            registered_delivery=None if parcel.report else 0,
            validity_period=None if expires_at is None else self._validity(expires_at, now),
            schedule_delivery_time=self._schedule(handling.deliver_at, now),
            tlvs=tlvs or None,
        )

    def _coding(self, data_coding: int, *, flash: bool) -> int:
        if flash:
            return with_class(data_coding, 0, self._cutting.flash)
        return self._codings.get(data_coding, data_coding)

    def _written(self, msisdn: str) -> tuple[str, bool]:
        """A customer's number as this SMSC wants it, and whether that is without its country code."""
        habits = self._profile.destination
        match habits.form:
            case "plus":
                return f"+{msisdn}", False
            case "zeros":
                return f"00{msisdn}", False
            case "national" if msisdn.startswith(habits.country):
                return habits.trunk + msisdn[len(habits.country) :], True
        return msisdn, False

    def _validity(self, expires_at: datetime, now: datetime) -> str | None:
        """In whole minutes, so that few different ones exist and each is written once."""
        form = self._profile.validity
        if form == "none":
            return None
        seconds = expires_at.timestamp() if form == "absolute" else (expires_at - now).total_seconds()
        minutes = math.ceil(seconds / 60)
        written = self._validities.get(minutes)
        if written is None:
            if len(self._validities) >= TEMPLATES:
                self._validities.clear()
            if form == "absolute":
                written = times.absolute(datetime.fromtimestamp(minutes * 60, self._zone))
            else:
                after = min(timedelta(minutes=max(1, minutes)), _LONGEST)
                written = times.relative(after, months=True)
            self._validities[minutes] = written
        return written

    def _schedule(self, deliver_at: datetime | None, now: datetime) -> str:
        form = self._profile.schedule
        if deliver_at is None or deliver_at <= now:
            return ""
        if why := unable_to_keep(self._profile, deliver_at, now):
            raise EncodeError(f"schedule_delivery_time: {why}")
        if form == "absolute":
            return times.absolute(deliver_at.astimezone(self._zone).replace(microsecond=0))
        return times.relative(max(timedelta(seconds=1), deliver_at - now))

    def forget(self) -> None:
        """Our numbers are others now, perhaps, and so is what senders are."""
        self._templates.clear()
        self._rarer.clear()

    def _template(self, sender: str) -> SubmitTemplate:
        if len(self._templates) >= TEMPLATES:
            self._templates.clear()
        template = self._templates[sender] = self._made(sender, national=False, without=frozenset())
        return template

    def _rarer_template(self, sender: str, national: bool, given: frozenset[int]) -> SubmitTemplate:
        """Of other numbering, or without the profile's parameters that the message gives itself."""
        key = (sender, national, given.intersection(self._profile.tlvs))
        template = self._rarer.get(key)
        if template is None:
            if len(self._rarer) >= TEMPLATES:
                self._rarer.clear()
            template = self._rarer[key] = self._made(sender, national=national, without=key[2])
        return template

    def _made(self, sender: str, *, national: bool, without: frozenset[int]) -> SubmitTemplate:
        profile = self._profile
        source, address = numbering(sender, profile.source, self._number_of(sender))
        habits = profile.destination
        destination = habits.national if national else habits.international
        return SubmitTemplate(
            service_type=profile.service_type,
            source_addr_ton=source.ton,
            source_addr_npi=source.npi,
            source_addr=address,
            dest_addr_ton=destination.ton,
            dest_addr_npi=destination.npi,
            protocol_id=profile.protocol_id,
            priority_flag=profile.priority_flag,
            registered_delivery=self._registered,
            tlvs={tag: value for tag, value in profile.tlvs.items() if tag not in without},
        )


def unable_to_keep(profile: Profile, deliver_at: datetime | None, now: datetime) -> str:
    """Why an SMSC can't keep a message until then; empty: it can."""
    if deliver_at is None or deliver_at <= now:
        return ""
    if profile.schedule == "none":
        return "this SMSC keeps nothing until later"
    if profile.schedule == "relative" and deliver_at - now > _EXACT:
        return f"this SMSC keeps nothing for longer than {_EXACT.days} days"
    return ""


def numbering(sender: str, habits: Source, number: str = "") -> tuple[Numbering, str]:
    """TON and NPI of a sender address (SMPP 3.4 §5.2.5, §5.2.6) by what it is, and how it is written.

    With an extension it is still what `number`, the number of ours that it begins with, is.
    """
    if number and number != sender and sender.startswith(number):
        return numbering(number, habits)[0], sender.removeprefix("+")
    digits = sender.removeprefix("+")
    if not (digits.isascii() and digits.isdecimal()):
        return habits.alphanumeric, sender
    if digits != sender:
        return habits.international, digits
    if len(digits) <= habits.short_digits:
        return habits.short, digits
    if digits.startswith("00"):
        return habits.international, digits[2:]
    return (habits.national if digits[0] == "0" else habits.international), digits


def _placed(payload: bytes, place: Place) -> tuple[bytes, dict[int, bytes]]:
    """short_message and parameters of a part that is numbered outside its text (SMPP 3.4 §5.3.2.22)."""
    if place.join == Join.PAYLOAD:
        return b"", {Tag.MESSAGE_PAYLOAD: payload}
    return payload, {
        Tag.SAR_MSG_REF_NUM: (place.reference & 0xFFFF).to_bytes(2, "big"),
        Tag.SAR_TOTAL_SEGMENTS: bytes((place.total,)),
        Tag.SAR_SEGMENT_SEQNUM: bytes((place.number,)),
    }


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
    verdict, sentence = row.verdict, row.sentence
    pauses = None
    if ruling is not None:
        verdict, pauses, sentence = ruling.verdict, ruling.pauses, ruling.meaning or sentence
    elif window_full and command_status in _FULL_QUEUES:
        # With room in the window it would be this recipient's queue; without, it is the bind's.
        verdict = status.Verdict.THROTTLE
    fate = _FATES[verdict]
    if verdict is status.Verdict.VENDOR and refusals == 0:
        fate = Fate.PUT_OFF  # unmapped: once more, and then it is refused
    return Judgement(fate, verdict, sentence, verdict in _ALARMING, pauses)


_FATES: Final[Mapping[status.Verdict, Fate | None]] = {
    status.Verdict.OK: Fate.TAKEN,
    status.Verdict.THROTTLE: None,
    status.Verdict.LINK: None,
    status.Verdict.TEMPORARY: Fate.PUT_OFF,
    status.Verdict.RECIPIENT: Fate.REFUSED,
    status.Verdict.SENDER: Fate.HELD,
    status.Verdict.OURS: Fate.REFUSED,
    status.Verdict.VENDOR: Fate.REFUSED,
}
_ALARMING: Final = frozenset({status.Verdict.SENDER, status.Verdict.OURS})


# --- In: receipts and customers' messages ----------------------------------------------------------------


def key_of_response(route: Route, message_id: str) -> str:
    """What makes the id of a response comparable with that of a receipt."""
    return receipts.response_key(message_id, route.profile.receipts)


def key_of_receipt(route: Route, message_id: str) -> str:
    """The same, of a receipt's id."""
    return receipts.receipt_key(message_id, route.profile.receipts)


def receipt_of(pdu: DeliverSm | DataSm, route: Route, number_of: Callable[[str], str]) -> Receipt | None:
    """The receipt in it, in our words; None: it is a customer's message."""
    habits = route.profile.receipts
    read = receipts.parse(pdu, habits)
    if read is None:
        return None
    if read.state is receipts.State.DELIVERED or (read.final and read.state is receipts.State.ACCEPTED):
        # ACCEPTED was read on behalf of the subscriber (SMPP 3.4 §5.2.28): as the last word it is no failure.
        verdict = Verdict.DELIVERED
    elif read.final:
        verdict = Verdict.FAILED
    else:
        verdict = Verdict.NOTHING_YET
    written, other = pdu.source_addr, pdu.destination_addr
    if habits.customer != "source":
        written, other = other, written
    zone = route.zone
    submitted, done = read.submit_date, read.done_date
    if zone is not None:
        submitted, done = _told(submitted, zone), _told(done, zone)
    return Receipt(
        route.name,
        read.message_id,
        receipts.receipt_key(read.message_id, habits),
        number_of(_customer(written, route.profile.mo)),
        verdict,
        read.state.value,
        read.err,
        f"stat:{read.word or read.state} err:{read.err} submit:{submitted} done:{done}",
        # Shorter than the customer's it is one of our own, as nearly always.
        other if len(other) < len(written) else number_of(_customer(other, route.profile.mo)),
    )


@lru_cache(maxsize=1024)
def _told(digits: str, zone: tzinfo) -> str:
    """A receipt's date for people, with its offset; what is no date stays as it is."""
    moment = times.receipt_moment(digits, zone)
    return (
        digits if moment is None else moment.isoformat(timespec="minutes" if len(digits) == 10 else "seconds")
    )


def _customer(written: str, habits: Mo) -> str:
    """An address without what this SMSC puts before customers' numbers, or around them."""
    if ":" in written and written[:4].lower() == "tel:":
        written = written[4:].partition(";")[0]
    if habits.prefixes:
        fitting = [prefix for prefix in habits.prefixes if written.startswith(prefix)]
        if fitting:
            longest = max(fitting, key=len)
            written = habits.prefixes[longest] + written[len(longest) :]
    return written


def short_message_of(
    pdu: DeliverSm | DataSm,
    route: Route,
    session: str,
    received_at: datetime,
    number_of: Callable[[str], str],
) -> ShortMessage:
    """A customer's message, its octets as they came but for packed septets."""
    habits = route.profile.mo
    payload = pdu.short_message if isinstance(pdu, DeliverSm) else b""
    if not payload:
        payload = pdu.tlvs.get(Tag.MESSAGE_PAYLOAD, b"")
    esm_class = pdu.esm_class
    if habits.udh_without_udhi and not esm_class & udh.UDHI and _begins_with_header(payload):
        esm_class |= udh.UDHI
    if habits.packed_gsm7:
        header, body = udh.take(payload, esm_class)
        whole = unpacked(body, pdu.data_coding, route.default_alphabet, header)
        payload = payload[: len(payload) - len(body)] + whole
    sar = pdu.tlvs if habits.sar else {}
    return ShortMessage(
        route=route.name,
        session=session,
        msisdn=number_of(_customer(pdu.source_addr, habits)),
        address=_customer(pdu.destination_addr, _PLAIN_MO),
        esm_class=esm_class,
        data_coding=pdu.data_coding,
        payload=payload,
        reference=tlv.octet(sar, Tag.SAR_MSG_REF_NUM),
        total=tlv.octet(sar, Tag.SAR_TOTAL_SEGMENTS),
        number=tlv.octet(sar, Tag.SAR_SEGMENT_SEQNUM),
        received_at=received_at,
    )


_PLAIN_MO: Final = Mo()


def _begins_with_header(payload: bytes) -> bool:
    """Whether the first octets are a whole header that numbers a part: no text begins so by chance."""
    header, _ = udh.parse(payload)
    return not header.ill_formed and header.concatenation is not None
