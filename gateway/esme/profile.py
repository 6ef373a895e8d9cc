"""A profile: all habits of one SMSC under one name. It is data, read from rules/smsc/NAME.yaml; each field
has its default and the words that docs/smpp.md is written from."""

from datetime import UTC, timedelta, timezone, tzinfo
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct, field

from gateway.smpp import status
from gateway.smpp.constants import Npi, Tag, Ton
from gateway.smpp.receipt import Habits
from gateway.smpp.status import Verdict
from gateway.sms.coding import DefaultAlphabet
from gateway.sms.cutting import Cutting, Join
from gateway.sms.shifts import Shift


def says(words: str, **bounds: Any) -> Meta:
    """The sentence that explains a setting, with the bounds of its value."""
    return Meta(description=words, **bounds)


Language = Literal[
    "turkish", "spanish", "portuguese", "bengali", "gujarati", "hindi", "kannada", "malayalam", "oriya",
    "punjabi", "tamil", "telugu", "urdu",
]  # fmt: skip
Octet = Annotated[int, Meta(ge=0, le=255)]


class Numbering(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Type of number and numbering plan (SMPP 3.4 §5.2.5, §5.2.6)."""

    ton: Annotated[Octet, says("type of number")]
    npi: Annotated[Octet, says("numbering plan")]


_INTERNATIONAL: Final = Numbering(ton=Ton.INTERNATIONAL, npi=Npi.ISDN)
_NATIONAL: Final = Numbering(ton=Ton.NATIONAL, npi=Npi.ISDN)


class Bind(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a session logs in."""

    version: Annotated[
        Literal["3.3", "3.4", "5.0"],
        says("interface_version that we name; some SMSCs tell congestion_state only from 5.0 on, and send no "
             "optional parameters below 3.4"),
    ] = "3.4"  # fmt: skip
    ton: Annotated[Octet, says("addr_ton, of address_range")] = 0
    npi: Annotated[Octet, says("addr_npi, of address_range")] = 0


class Source(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """TON and NPI of our sender addresses, by what the address is."""

    alphanumeric: Annotated[Numbering, says("a sender with letters")] = Numbering(
        ton=Ton.ALPHANUMERIC, npi=Npi.UNKNOWN
    )
    short: Annotated[Numbering, says("a short code")] = Numbering(ton=Ton.NETWORK_SPECIFIC, npi=Npi.UNKNOWN)
    national: Annotated[Numbering, says("a long number that begins with 0")] = _NATIONAL
    international: Annotated[Numbering, says("any other long number, and those with + or 00")] = (
        _INTERNATIONAL
    )
    short_digits: Annotated[int, says("a number of up to so many digits is a short code", ge=0, le=20)] = 9


class Destination(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How customers' numbers are written to the SMSC."""

    form: Annotated[
        Literal["international", "plus", "zeros", "national"],
        says("8613905310001, +8613905310001, 008613905310001, or 13905310001 for numbers of `country`"),
    ] = "international"
    country: Annotated[
        str, says("country code that `national` leaves out", pattern=r"^[1-9][0-9]{0,3}$|^$", examples=["86"])
    ] = ""
    trunk: Annotated[str, says("digits that `national` puts in its place, as 0", pattern=r"^[0-9]{0,4}$")] = (
        ""
    )
    international: Annotated[Numbering, says("TON and NPI of numbers with their country code")] = (
        _INTERNATIONAL
    )
    national: Annotated[Numbering, says("TON and NPI of numbers without it")] = _NATIONAL


class Text(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How texts are encoded and cut."""

    join: Annotated[
        Literal["udh8", "udh16", "sar", "payload"],
        says("how parts of a long text are numbered: by header with an 8- or 16-bit reference, by sar_* "
             "parameters; or not cut at all: message_payload"),
    ] = "udh8"  # fmt: skip
    default_alphabet: Annotated[DefaultAlphabet, says("what data_coding 0 means there, both ways")] = "gsm7"
    fold: Annotated[
        bool, says("look-alikes (curly quotes, dashes) go as GSM 7-bit when that saves UCS-2")
    ] = False
    shifts: Annotated[
        list[Language], says("national language tables of GSM 7-bit that the SMSC and its phones know")
    ] = field(default_factory=list)
    flash: Annotated[
        Literal["class", "f0"], says("data_coding of a flash text: 0x10, or 0xF0; in UCS-2 always 0x18")
    ] = "class"
    gsm7_coding: Annotated[Octet, says("data_coding of texts in the default alphabet")] = 0x00
    ucs2_coding: Annotated[Octet, says("data_coding of texts in UCS-2")] = 0x08

    def cutting(self) -> Cutting:
        """As texts are measured and cut. ValueError where two settings exclude each other."""
        return Cutting(
            join=Join(self.join),
            default=self.default_alphabet,
            fold=self.fold,
            shifts=tuple(Shift[language.upper()] for language in self.shifts),
            flash="class" if self.flash == "f0" else "general",
        )


class Mo(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How customers' messages come."""

    udh_without_udhi: Annotated[
        bool, says("parts bear a header though esm_class does not say so: one that fits is taken for one")
    ] = False
    packed_gsm7: Annotated[bool, says("texts in the default alphabet come as packed septets")] = False
    sar: Annotated[bool, says("sar_* parameters are believed; false: they are passed over")] = True
    prefixes: Annotated[
        dict[str, str],
        says("beginnings of customers' numbers and what stands for them; the longest that fits is taken"),
    ] = field(default_factory=dict)


class Ruling(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a command_status means on this route."""

    verdict: Annotated[Verdict, says("whose matter it is")]
    pauses: Annotated[
        tuple[timedelta, ...] | None, says("of `temporary`: before the second try, the third …")
    ] = None
    meaning: Annotated[
        str, says("what it means, for people; empty: as the standard says", max_length=200)
    ] = ""


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the SMSC was seen to bear. Settings of [smsc.*] above it are brought down to it; 0: not known."""

    binds: Annotated[int, says("sessions at a time", ge=0)] = 0
    window: Annotated[int, says("requests without their response, a session", ge=0)] = 0
    rate: Annotated[int, says("PDUs a second and session", ge=0)] = 0


Rulings = dict[int, Ruling]
Parameters = dict[int, bytes]


class Profile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One SMSC's habits."""

    name: str = "default"
    bind: Bind = Bind()
    receipts: Habits = Habits()
    text: Text = Text()
    order: Annotated[
        Literal["first-first", "last-first"], says("in which order the parts of a long text are written")
    ] = "first-first"
    source: Source = Source()
    destination: Destination = Destination()
    service_type: Annotated[
        str, says("service_type of each submit_sm", max_length=5, pattern=r"^[ -~]*$")
    ] = ""
    protocol_id: Annotated[Octet, says("protocol_id of each submit_sm")] = 0
    priority_flag: Annotated[int, says("priority_flag where a message has none of its own", ge=0, le=255)] = 0
    esm_class: Annotated[Octet, says("bits of esm_class that each submit_sm bears besides, as 3")] = 0
    report: Annotated[
        Literal["always", "failure"], says("which outcomes we ask receipts for; failure: success is not told")
    ] = "always"
    intermediate: Annotated[bool, says("ask for intermediate notifications too")] = False
    validity: Annotated[
        Literal["relative", "absolute", "none"], says("how validity_period is written; none: left empty")
    ] = "relative"
    schedule: Annotated[
        Literal["absolute", "relative", "none"],
        says("how schedule_delivery_time is written; none: the SMSC keeps nothing until later"),
    ] = "absolute"
    zone: Annotated[
        str,
        says("the SMSC's clock: of absolute times and of receipts' dates; empty: not known",
             examples=["+08:00", "Asia/Shanghai"]),
    ] = ""  # fmt: skip
    tlvs: Annotated[
        Parameters, says("parameters of each submit_sm by name or 0x… tag; int8, int16, int32, text or hex")
    ] = field(default_factory=dict)
    statuses: Annotated[
        Rulings, says("what a command_status means here, by name or 0x…: a verdict, or verdict and pauses")
    ] = field(default_factory=dict)
    mo: Mo = Mo()
    refuse_with: Annotated[
        int, says("command_status for what the SMSC brings while we can't store it, by name or 0x…")
    ] = status.ESME_RSYSERR
    congestion: Annotated[bool, says("heed congestion_state where the SMSC tells it")] = True
    limits: Limits = Limits()


DEFAULT: Final = Profile()


def zone_of(profile: Profile) -> tzinfo | None:
    """The SMSC's zone; None: not known. ValueError when it is none."""
    return read_zone(profile.zone)


def read_zone(text: str) -> tzinfo | None:
    """The zone that `+08:00`, `UTC` or `Asia/Shanghai` means. ValueError for anything else."""
    if not text:
        return None
    if text in ("UTC", "Z"):
        return UTC
    if text[0] in "+-":
        hours, colon, minutes = text[1:].partition(":")
        if colon and hours.isdecimal() and minutes.isdecimal() and len(text) == 6 and int(minutes) < 60:
            offset = timedelta(hours=int(hours), minutes=int(minutes))
            if offset <= timedelta(hours=14):
                return timezone(-offset if text[0] == "-" else offset)
    else:
        try:
            return ZoneInfo(text)
        except (OSError, ValueError, KeyError):
            pass
    raise ValueError(f'"{text}" is no zone; write it as "+08:00" or "Asia/Shanghai"')


_TAGS: Final = {tag.name: int(tag) for tag in Tag}


def tag_of(text: str) -> int | None:
    """The tag that `source_port` or `0x020A` means; None when it is none."""
    tag = _TAGS.get(text.upper())
    if tag is None:
        try:
            tag = int(text, 0)
        except ValueError:
            return None
    return tag if 0 < tag <= 0xFFFF else None


def tag_names() -> list[str]:
    """All names of parameters, for suggestions."""
    return [name.lower() for name in _TAGS]
