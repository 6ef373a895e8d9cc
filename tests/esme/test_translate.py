"""Between our words and SMPP's: each habit of a profile shows in the octets, each answer has its fate."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.handling import Handling
from gateway.esme.profile import Bind, Destination, Mo, Numbering, Profile, Ruling, Source, Text
from gateway.esme.route import Account, BindMode, Route
from gateway.esme.translate import Writer, bind_of, judge, numbering, receipt_of, short_message_of
from gateway.services.carrier import Fate, Parcel, Place
from gateway.services.receipts import Verdict as Told
from gateway.smpp import codec, status
from gateway.smpp.constants import Tag
from gateway.smpp.errors import EncodeError
from gateway.smpp.pdu import (
    BindReceiver,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    DataSm,
    DeliverSm,
    SubmitSm,
)
from gateway.smpp.receipt import Habits
from gateway.smpp.session import Role, Session
from gateway.smpp.status import Verdict
from gateway.smpp.timers import Timers
from gateway.sms.udh import concatenation

NOW = datetime(2026, 11, 22, 9, 44, 3, tzinfo=UTC)
ANNA = "8613905310001"


def route(**habits: Any) -> Route:
    return Route(name="main", accounts=(), profile=Profile(**habits))


def bound() -> Session:
    session = Session(Role.ESME, window=1000, timers=Timers(), now=0.0)
    number = session.request(BindTransceiver(system_id="huiyin"), 0.0)
    session.receive(codec.encode(BindTransceiverResp(sequence_number=number)), 0.0)
    session.data_to_send()
    return session


def parcel(**fields: Any) -> Parcel:
    token: Any = None
    return Parcel(token, "main", ANNA, "10086", b"hi", 0, 0, True, None)._replace(**fields)


def written(profile: dict[str, Any], *, writer: Writer | None = None, **fields: Any) -> SubmitSm:
    session = bound()
    number = (writer or Writer(route(**profile))).submit(session, parcel(**fields), 0.0, NOW)
    pdu = codec.decode(session.data_to_send())
    assert isinstance(pdu, SubmitSm)
    assert pdu.sequence_number == number
    return pdu


# --- Out -------------------------------------------------------------------------------------------------


def test_a_plain_parcel_is_written_as_the_standard_has_it() -> None:
    pdu = written({})
    assert pdu == SubmitSm(
        sequence_number=pdu.sequence_number,
        source_addr_ton=3,
        source_addr_npi=0,
        source_addr="10086",
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr=ANNA,
        registered_delivery=1,
        short_message=b"hi",
    )


SOURCES = Source(
    alphanumeric=Numbering(ton=5, npi=9),
    short=Numbering(ton=6, npi=2),
    national=Numbering(ton=2, npi=3),
    international=Numbering(ton=1, npi=4),
)


@pytest.mark.parametrize(
    ("sender", "ton", "npi", "address"),
    [
        pytest.param("HUIYIN", 5, 9, "HUIYIN", id="letters"),
        pytest.param("10086", 6, 2, "10086", id="a short code"),
        pytest.param("100860123", 6, 2, "100860123", id="a short code with its extension"),
        pytest.param("1065712345", 1, 4, "1065712345", id="a long number"),
        pytest.param("+861065712345", 1, 4, "861065712345", id="a plus"),
        pytest.param("+10086", 1, 4, "10086", id="a short one with a plus"),
        pytest.param("00861065712345", 1, 4, "861065712345", id="zeros"),
        pytest.param("02012345678", 2, 3, "02012345678", id="a national one"),
        pytest.param("12 34", 5, 9, "12 34", id="a blank is no digit"),
    ],
)
def test_a_sender_is_numbered_by_what_it_is(sender: str, ton: int, npi: int, address: str) -> None:
    pdu = written({"source": SOURCES}, sender=sender)
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == (ton, npi, address)


@pytest.mark.parametrize(
    ("habits", "to", "address", "ton"),
    [
        pytest.param(Destination(), ANNA, ANNA, 1, id="international"),
        pytest.param(Destination(form="plus"), ANNA, f"+{ANNA}", 1, id="plus"),
        pytest.param(Destination(form="zeros"), ANNA, f"00{ANNA}", 1, id="zeros"),
        pytest.param(Destination(form="national", country="86"), ANNA, "13905310001", 2, id="national"),
        pytest.param(
            Destination(form="national", country="44", trunk="0"),
            "447700900123",
            "07700900123",
            2,
            id="trunk",
        ),
        pytest.param(
            Destination(form="national", country="86"),
            "447700900123",
            "447700900123",
            1,
            id="another country's",
        ),
        pytest.param(
            Destination(international=Numbering(ton=0, npi=0)), ANNA, ANNA, 0, id="numbering of its own"
        ),
    ],
)
def test_a_destination_has_the_form_that_the_route_wants(
    habits: Destination, to: str, address: str, ton: int
) -> None:
    pdu = written({"destination": habits}, destination=to)
    assert (pdu.destination_addr, pdu.dest_addr_ton) == (address, ton)


def test_national_and_foreign_numbers_of_one_sender_are_told_apart() -> None:
    writer = Writer(route(destination=Destination(form="national", country="86")))
    tons = [written({}, writer=writer, destination=to).dest_addr_ton for to in (ANNA, "447700900123", ANNA)]
    assert tons == [2, 1, 2]


FIELDS = {
    "service_type": "SURV",
    "protocol_id": 0x41,
    "priority_flag": 2,
    "esm_class": 3,
    "report": "failure",
    "intermediate": True,
    "tlvs": {0x1403: b"A7", int(Tag.SOURCE_PORT): b"\1\2"},
}
PLACES = [
    pytest.param(None, id="alone"),
    pytest.param(Place("sar", 0x12345, 3, 2), id="sar"),
    pytest.param(Place("payload", 1, 1, 1), id="payload"),
]


@pytest.mark.parametrize("place", PLACES)
def test_control_fields_stand_on_every_part(place: Place | None) -> None:
    pdu = written(FIELDS, place=place, esm_class=0x40, expires_at=NOW + timedelta(hours=2), data_coding=8)
    assert (pdu.service_type, pdu.protocol_id, pdu.priority_flag) == ("SURV", 0x41, 2)
    assert (pdu.esm_class, pdu.data_coding) == (0x43, 8)
    assert (pdu.registered_delivery, pdu.validity_period) == (0x12, "000000020000000R")
    assert (pdu.tlvs[0x1403], pdu.tlvs[Tag.SOURCE_PORT]) == (b"A7", b"\1\2")


def test_no_receipt_is_asked_for_where_none_is_wanted() -> None:
    assert written(FIELDS, report=False).registered_delivery == 0
    assert written({}, report=False).registered_delivery == 0


def test_sar_numbers_a_part_beside_its_text() -> None:
    pdu = written({}, place=Place("sar", 0x12345, 3, 2), payload=b"part")
    assert (pdu.short_message, pdu.esm_class) == (b"part", 0)
    assert pdu.tlvs == {
        Tag.SAR_MSG_REF_NUM: b"\x23\x45",
        Tag.SAR_TOTAL_SEGMENTS: b"\x03",
        Tag.SAR_SEGMENT_SEQNUM: b"\x02",
    }


def test_a_whole_text_goes_in_message_payload() -> None:
    pdu = written({}, place=Place("payload", 0, 1, 1), payload=b"x" * 1000)
    assert (pdu.short_message, pdu.tlvs) == (b"", {Tag.MESSAGE_PAYLOAD: b"x" * 1000})


@pytest.mark.parametrize(
    ("text", "data_coding", "flash", "expected"),
    [
        pytest.param(Text(), 0x00, True, 0x10, id="flash"),
        pytest.param(Text(), 0x08, True, 0x18, id="flash in UCS-2"),
        pytest.param(Text(flash="f0"), 0x00, True, 0xF0, id="flash as F0"),
        pytest.param(Text(flash="f0"), 0x08, True, 0x18, id="UCS-2 has no F0"),
        pytest.param(Text(ucs2_coding=0x19), 0x08, False, 0x19, id="UCS-2 of its own"),
        pytest.param(Text(gsm7_coding=0xF1), 0x00, False, 0xF1, id="GSM of its own"),
        pytest.param(Text(gsm7_coding=0xF1), 0x08, False, 0x08, id="the other one as it is"),
    ],
)
def test_data_coding_follows_flash_and_profile(
    text: Text, data_coding: int, flash: bool, expected: int
) -> None:
    handling = Handling(flash=True) if flash else None
    assert written({"text": text}, data_coding=data_coding, handling=handling).data_coding == expected


def test_a_messages_own_wishes_outweigh_the_profile() -> None:
    handling = Handling(priority=3, parameters={0x1403: b"mine", 0x1404: b"too"})
    pdu = written(FIELDS, handling=handling)
    assert pdu.priority_flag == 3
    assert (pdu.tlvs[0x1403], pdu.tlvs[0x1404], pdu.tlvs[Tag.SOURCE_PORT]) == (b"mine", b"too", b"\1\2")
    assert pdu.more_tlvs == ()


@pytest.mark.parametrize(
    ("form", "zone", "expected"),
    [
        pytest.param("relative", "", "000000013000000R", id="relative, whole minutes"),
        pytest.param("absolute", "", "261122111500000+", id="absolute, in UTC"),
        pytest.param("absolute", "+08:00", "261122191500032+", id="absolute, in the SMSC's zone"),
        pytest.param("absolute", "-03:30", "261122074500014-", id="absolute, west of Greenwich"),
        pytest.param("none", "", "", id="none"),
    ],
)
def test_validity_is_written_as_the_smsc_reads_it(form: str, zone: str, expected: str) -> None:
    expires_at = NOW + timedelta(minutes=89, seconds=58)  # 11:14:01: rounded up to 11:15
    writer = Writer(route(validity=form, zone=zone))
    seen = {written({}, writer=writer, expires_at=expires_at).validity_period for _ in range(2)}
    assert seen == {expected}


@given(st.integers(-5, 400 * 24 * 60))
def test_relative_validity_never_promises_more_than_a_year_nor_nothing(minutes: int) -> None:
    expires_at = NOW + timedelta(minutes=minutes)
    text = written({}, writer=Writer(route(validity="relative")), expires_at=expires_at).validity_period
    months, days, hours, mins = (int(text[at : at + 2]) for at in (2, 4, 6, 8))
    assert text[:2] == "00"
    assert text[10:] == "00000R"
    told = ((months * 30 + days) * 24 + hours) * 60 + mins
    assert told == max(1, min(minutes, 364 * 24 * 60))


@pytest.mark.parametrize(
    ("number", "sender", "ton", "address"),
    [
        pytest.param("10086", "10086", 3, "10086", id="a short code"),
        pytest.param("10086", "1008612345", 3, "1008612345", id="a short code with its extension"),
        pytest.param("", "1008612345", 1, "1008612345", id="of no number of ours"),
        pytest.param("8610655010", "861065501012", 1, "861065501012", id="a long number with its extension"),
        pytest.param("0755", "07551234567", 3, "07551234567", id="as its number would be"),
    ],
)
def test_a_sender_is_numbered_as_its_number_whatever_the_extension(
    number: str, sender: str, ton: int, address: str
) -> None:
    assert written({}, writer=Writer(route(), lambda _: number), sender=sender).source_addr_ton == ton
    assert numbering(sender, Source(), number)[1] == address


@pytest.mark.parametrize(
    ("final", "verdict"),
    [
        pytest.param(True, Told.DELIVERED, id="it is the last word"),
        pytest.param(False, Told.NOTHING_YET, id="another one follows"),
    ],
)
def test_accepted_is_no_failure(final: bool, verdict: Told) -> None:
    pdu = DeliverSm(
        source_addr=ANNA, destination_addr="10086", esm_class=4, short_message=b"id:1 stat:ACCEPTD err:000"
    )
    receipt = receipt_of(pdu, route(receipts=Habits(accepted_is_final=final)), str)
    assert receipt is not None
    assert receipt.verdict is verdict
    assert receipt.state == "ACCEPTED"


@pytest.mark.parametrize(
    ("form", "zone", "after", "expected"),
    [
        pytest.param("absolute", "+08:00", timedelta(hours=1), "261122184403032+", id="absolute"),
        pytest.param("absolute", "", timedelta(hours=1), "261122104403000+", id="in UTC"),
        pytest.param("relative", "", timedelta(days=1, hours=1), "000001010000000R", id="relative"),
        pytest.param("absolute", "", timedelta(0), "", id="now"),
        pytest.param("none", "", -timedelta(hours=1), "", id="past"),
    ],
)
def test_delivery_is_scheduled_as_the_smsc_reads_it(
    form: str, zone: str, after: timedelta, expected: str
) -> None:
    pdu = written({"schedule": form, "zone": zone}, handling=Handling(deliver_at=NOW + after))
    assert pdu.schedule_delivery_time == expected


@pytest.mark.parametrize(
    ("profile", "fields", "why"),
    [
        pytest.param(
            {"schedule": "none"}, {"handling": Handling(deliver_at=NOW + timedelta(hours=1))},
            "keeps nothing until later", id="an SMSC that keeps nothing"),
        pytest.param(
            {"schedule": "relative"}, {"handling": Handling(deliver_at=NOW + timedelta(days=40))},
            "31 days", id="later than the relative form tells"),
        pytest.param({}, {"sender": "1" * 21}, "source_addr", id="a sender too long"),
        pytest.param({}, {"payload": b"x" * 255}, "short_message", id="a text too long"),
        pytest.param({"destination": Destination(form="zeros")}, {"destination": "8" * 19},
            "destination_addr", id="a number too long"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_and_nothing_is_written(
    profile: dict[str, Any], fields: dict[str, Any], why: str
) -> None:
    session = bound()
    with pytest.raises(EncodeError, match=why):
        Writer(route(**profile)).submit(session, parcel(**fields), 0.0, NOW)
    assert (session.data_to_send(), session.outstanding) == (b"", 0)


@pytest.mark.parametrize("mode", BindMode)
@pytest.mark.parametrize(
    ("habits", "version", "ton", "npi"),
    [
        (Bind(), 0x34, 0, 0),
        (Bind(version="5.0", ton=1, npi=1), 0x50, 1, 1),
        (Bind(version="3.3"), 0x33, 0, 0),
    ],
)
def test_a_bind_is_written_as_the_profile_says(
    mode: BindMode, habits: Bind, version: int, ton: int, npi: int
) -> None:
    account = Account(
        mode=mode, host="h", port=1, system_id="us", password="p", system_type="VMA", address_range="^10086"
    )
    pdu = codec.decode(codec.encode(bind_of(route(bind=habits), account)))
    assert type(pdu).__name__ == f"Bind{mode.capitalize()}"
    assert isinstance(pdu, BindTransceiver | BindTransmitter | BindReceiver)
    assert (pdu.system_id, pdu.password, pdu.system_type, pdu.address_range) == ("us", "p", "VMA", "^10086")
    assert (pdu.interface_version, pdu.addr_ton, pdu.addr_npi) == (version, ton, npi)


OCTET = st.integers(0, 255)
NUMBERINGS = st.builds(Numbering, ton=OCTET, npi=OCTET)
PROFILES = st.builds(
    Profile,
    service_type=st.text("ABC", max_size=5),
    protocol_id=OCTET,
    priority_flag=OCTET,
    esm_class=OCTET,
    report=st.sampled_from(["always", "failure"]),
    validity=st.sampled_from(["relative", "absolute", "none"]),
    schedule=st.sampled_from(["relative", "absolute", "none"]),
    zone=st.sampled_from(["", "UTC", "+08:00", "-11:30"]),
    tlvs=st.dictionaries(st.integers(0x1400, 0x1403), st.binary(max_size=9), max_size=3),
    destination=st.builds(
        Destination,
        form=st.sampled_from(["international", "plus", "zeros", "national"]),
        country=st.sampled_from(["86", "44"]),
        national=NUMBERINGS,
        international=NUMBERINGS,
    ),
    text=st.builds(Text, ucs2_coding=OCTET, flash=st.sampled_from(["class", "f0"])),
)


@given(
    profile=PROFILES,
    to=st.from_regex(r"(86|44)[0-9]{5,12}", fullmatch=True),
    sender=st.text("0123456789AZ+", min_size=1, max_size=12),
    payload=st.binary(max_size=140),
    place=st.none()
    | st.builds(Place, st.sampled_from(["sar", "payload"]), st.integers(0, 2**17), OCTET, OCTET),
    handling=st.none()
    | st.builds(
        Handling,
        flash=st.booleans(),
        priority=st.none() | st.integers(0, 3),
        deliver_at=st.none() | st.timedeltas(-timedelta(days=1), timedelta(days=30)).map(lambda d: NOW + d),
        parameters=st.dictionaries(st.integers(0x1402, 0x1405), st.binary(max_size=9), max_size=3),
    ),
    valid=st.none() | st.timedeltas(-timedelta(days=1), timedelta(days=400)),
)
def test_whatever_the_profile_the_peer_reads_what_was_meant(
    profile: Profile,
    to: str,
    sender: str,
    payload: bytes,
    place: Place | None,
    handling: Handling | None,
    valid: timedelta | None,
) -> None:
    session = bound()
    one = parcel(
        destination=to,
        sender=sender,
        payload=payload,
        place=place,
        handling=handling,
        expires_at=None if valid is None else NOW + valid,
        data_coding=8,
    )
    writer = Writer(Route(name="main", accounts=(), profile=profile))
    deliver_at = handling.deliver_at if handling else None
    if profile.schedule == "none" and deliver_at is not None and deliver_at > NOW:
        with pytest.raises(EncodeError, match="keeps nothing until later"):
            writer.submit(session, one, 0.0, NOW)
        return
    writer.submit(session, one, 0.0, NOW)
    pdu = codec.decode(session.data_to_send())
    assert isinstance(pdu, SubmitSm)
    assert to.endswith(pdu.destination_addr.lstrip("+0")[-5:])
    assert sender.endswith(pdu.source_addr)
    whole = place is not None and place.join == "payload"
    assert (pdu.tlvs[Tag.MESSAGE_PAYLOAD] if whole else pdu.short_message) == payload
    assert pdu.more_tlvs == ()
    assert {**profile.tlvs, **(handling.parameters if handling else {})}.items() <= pdu.tlvs.items()


# --- What an answer means --------------------------------------------------------------------------------

MINUTE = timedelta(minutes=1)
RULED = {
    0x0401: Ruling(verdict=Verdict.RECIPIENT),
    0x0045: Ruling(verdict=Verdict.THROTTLE),
    0x0014: Ruling(verdict=Verdict.TEMPORARY, pauses=(MINUTE, 10 * MINUTE)),
    0x0022: Ruling(verdict=Verdict.OURS),
    0x0008: Ruling(verdict=Verdict.LINK),
}


@pytest.mark.parametrize(
    ("code", "refusals", "full", "fate", "verdict", "alarm"),
    [
        pytest.param(0x00, 0, False, Fate.TAKEN, Verdict.OK, False, id="taken"),
        pytest.param(0x58, 0, False, None, Verdict.THROTTLE, False, id="throttled"),
        pytest.param(0x14, 0, False, Fate.PUT_OFF, Verdict.TEMPORARY, False, id="its queue is full"),
        pytest.param(0x14, 0, True, None, Verdict.THROTTLE, False, id="the bind's queue is full"),
        pytest.param(0x45, 0, False, Fate.PUT_OFF, Verdict.TEMPORARY, False, id="submit failed"),
        pytest.param(0x45, 0, True, None, Verdict.THROTTLE, False, id="submit failed, window full"),
        pytest.param(0x08, 9, True, Fate.PUT_OFF, Verdict.TEMPORARY, False, id="a system error"),
        pytest.param(0x64, 0, False, Fate.PUT_OFF, Verdict.TEMPORARY, False, id="the application, for now"),
        pytest.param(0x0B, 0, False, Fate.REFUSED, Verdict.RECIPIENT, False, id="the recipient"),
        pytest.param(0x0A, 0, False, Fate.HELD, Verdict.SENDER, True, id="the sender"),
        pytest.param(0xC2, 0, False, Fate.REFUSED, Verdict.OURS, True, id="our fault"),
        pytest.param(0x04, 0, False, None, Verdict.LINK, False, id="the link"),
        pytest.param(0x0E, 0, False, None, Verdict.LINK, False, id="the login"),
        pytest.param(0x4A1, 0, False, Fate.PUT_OFF, Verdict.VENDOR, False, id="unmapped, once more"),
        pytest.param(0x4A1, 1, False, Fate.REFUSED, Verdict.VENDOR, False, id="unmapped, twice"),
        pytest.param(0x9F, 1, False, Fate.REFUSED, Verdict.VENDOR, False, id="reserved, twice"),
    ],
)
def test_an_answer_is_judged_by_the_standard_table(
    code: int, refusals: int, full: bool, fate: Fate | None, verdict: Verdict, alarm: bool
) -> None:
    found = judge(route(), code, refusals, full)
    assert (found.fate, found.verdict, found.alarm, found.pauses) == (fate, verdict, alarm, None)
    assert found.sentence == status.lookup(code).sentence


@pytest.mark.parametrize(
    ("code", "full", "fate", "verdict", "pauses"),
    [
        pytest.param(0x401, False, Fate.REFUSED, Verdict.RECIPIENT, None, id="a vendor's code"),
        pytest.param(0x45, False, None, Verdict.THROTTLE, None, id="throttle with an open window"),
        pytest.param(0x14, True, Fate.PUT_OFF, Verdict.TEMPORARY, (MINUTE, 10 * MINUTE), id="pauses"),
        pytest.param(0x22, False, Fate.REFUSED, Verdict.OURS, None, id="a reserved code"),
        pytest.param(0x08, False, None, Verdict.LINK, None, id="a link's"),
        pytest.param(0x0B, False, Fate.REFUSED, Verdict.RECIPIENT, None, id="the others as ever"),
    ],
)
def test_the_routes_own_table_comes_first(
    code: int, full: bool, fate: Fate | None, verdict: Verdict, pauses: tuple[timedelta, ...] | None
) -> None:
    found = judge(route(statuses=RULED), code, 0, full)
    assert (found.fate, found.verdict, found.pauses) == (fate, verdict, pauses)


def test_a_ruling_may_say_what_a_code_means() -> None:
    rulings = {0x401: Ruling(verdict=Verdict.OURS, meaning="The account is out of credit.")}
    assert judge(route(statuses=rulings), 0x401, 0, False).sentence == "The account is out of credit."


@given(st.integers(1, 0xFFFFFFFF), st.integers(0, 5), st.booleans())
def test_every_refusal_has_a_fate_and_none_is_taken(code: int, refusals: int, full: bool) -> None:
    found = judge(route(statuses=RULED), code, refusals, full)
    assert found.fate not in (Fate.TAKEN, Fate.LOST, Fate.UNSENT)
    assert (found.fate is None) is (found.verdict in (Verdict.THROTTLE, Verdict.LINK))


# --- In --------------------------------------------------------------------------------------------------


def as_is(address: str) -> str:
    return address


TEXT = b"id:7 sub:001 dlvrd:001 submit date:2611220944 done date:261122094503 stat:DELIVRD err:000 text:hi"


def receipt(profile: dict[str, Any], text: bytes = TEXT, **fields: Any) -> Any:
    pdu = DeliverSm(esm_class=4, source_addr=ANNA, destination_addr="10086", short_message=text, **fields)
    return receipt_of(pdu, route(**profile), as_is)


@pytest.mark.parametrize(
    ("zone", "submitted", "done"),
    [
        pytest.param("", "2611220944", "261122094503", id="not known: digits"),
        pytest.param("+08:00", "2026-11-22T09:44+08:00", "2026-11-22T09:45:03+08:00", id="local time"),
        pytest.param("UTC", "2026-11-22T09:44+00:00", "2026-11-22T09:45:03+00:00", id="UTC"),
    ],
)
def test_a_receipts_dates_are_told_in_the_smscs_zone(zone: str, submitted: str, done: str) -> None:
    assert receipt({"zone": zone}).detail == f"stat:DELIVRD err:000 submit:{submitted} done:{done}"


def test_a_date_that_is_none_stays_as_it_is() -> None:
    found = receipt({"zone": "+08:00"}, TEXT.replace(b"2611220944", b"9999999999"))
    assert "submit:9999999999 " in found.detail


def test_the_customer_is_where_the_route_has_it() -> None:
    swapped, unswapped = receipt({}), receipt({"receipts": Habits(customer="destination")})
    assert (swapped.msisdn, swapped.other) == (ANNA, "10086")
    assert (unswapped.msisdn, unswapped.other) == ("10086", ANNA)
    pdu = DeliverSm(esm_class=4, source_addr="10086", destination_addr="+8613905310001", short_message=TEXT)
    found = receipt_of(pdu, route(), lambda address: address.removeprefix("+"))
    assert found is not None
    assert (found.msisdn, found.other) == ("10086", ANNA)


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("DELIVRD", Told.DELIVERED),
        ("UNDELIV", Told.FAILED),
        ("ENROUTE", Told.NOTHING_YET),
        ("HM", Told.NOTHING_YET),
    ],
)
def test_a_receipt_decides_as_its_state_does(word: str, told: Told) -> None:
    assert receipt({}, TEXT.replace(b"DELIVRD", word.encode())).verdict is told


def arrived(profile: dict[str, Any], pdu: DeliverSm | DataSm) -> Any:
    return short_message_of(pdu, route(**profile), "main/1#x", NOW, as_is)


def pack(septets: bytes, fill_bits: int = 0) -> bytes:
    """As on the air: the first septet in the lowest bits."""
    whole = sum(septet << 7 * at for at, septet in enumerate(septets)) << fill_bits
    return whole.to_bytes((7 * len(septets) + fill_bits + 7) // 8, "little")


PART = concatenation(7, 2, 1) + b"\x04\x1f"


@pytest.mark.parametrize(
    ("payload", "esm_class", "allowed", "expected"),
    [
        pytest.param(PART, 0x00, True, 0x40, id="a header unannounced"),
        pytest.param(PART, 0x00, False, 0x00, id="not by default"),
        pytest.param(PART, 0x40, True, 0x40, id="a header announced"),
        pytest.param(concatenation(7, 2, 1, wide=True), 0x00, True, 0x40, id="16 bits"),
        pytest.param(b"\x05\x00\x03\x07\x02\x03x", 0x00, True, 0x00, id="part 3 of 2 is none"),
        pytest.param("您好".encode("utf-16-be"), 0x00, True, 0x00, id="a text"),
        pytest.param(b"8", 0x00, True, 0x00, id="a score"),
        pytest.param(b"", 0x00, True, 0x00, id="nothing"),
    ],
)
def test_a_header_without_its_bit_is_found_where_the_route_says_so(
    payload: bytes, esm_class: int, allowed: bool, expected: int
) -> None:
    pdu = DeliverSm(source_addr=ANNA, short_message=payload, esm_class=esm_class, data_coding=8)
    found = arrived({"mo": Mo(udh_without_udhi=allowed)}, pdu)
    assert (found.esm_class, found.payload) == (expected, payload)


def test_packed_septets_are_unpacked_behind_the_header() -> None:
    header = concatenation(7, 2, 1)
    mo = {"mo": Mo(packed_gsm7=True)}
    alone = arrived(mo, DeliverSm(short_message=pack(b"hellohello")))
    part = arrived(mo, DeliverSm(short_message=header + pack(b"hello", 1), esm_class=0x40))
    wide = arrived(mo, DeliverSm(short_message="您好".encode("utf-16-be"), data_coding=8))
    assert (alone.payload, part.payload) == (b"hellohello", header + b"hello")
    assert wide.payload == "您好".encode("utf-16-be")


@pytest.mark.parametrize("cls", [DeliverSm, DataSm])
def test_a_text_may_come_as_payload_numbered_by_parameters(cls: type[DeliverSm] | type[DataSm]) -> None:
    tlvs = {0x424: b"part", 0x20C: b"\0\7", 0x20E: b"\3", 0x20F: b"\2"}
    found = arrived({}, cls(source_addr=ANNA, destination_addr="10086", tlvs=tlvs))
    assert (found.payload, found.reference, found.total, found.number) == (b"part", 7, 3, 2)
    unnumbered = arrived({"mo": Mo(sar=False)}, cls(source_addr=ANNA, tlvs=tlvs))
    assert (unnumbered.payload, unnumbered.reference, unnumbered.total) == (b"part", None, None)


@pytest.mark.parametrize(
    ("written_as", "prefixes", "expected"),
    [
        pytest.param(ANNA, {}, ANNA, id="as it is"),
        pytest.param("+8613905310001", {}, "+8613905310001", id="a plus is read further on"),
        pytest.param("tel:+8613905310001", {}, "+8613905310001", id="a tel URI"),
        pytest.param("TEL:13905310001;phone-context=+86", {}, "13905310001", id="with a context"),
        pytest.param("1795113905310001", {"17951": "86"}, ANNA, id="a prefix replaced"),
        pytest.param("1795113905310001", {"1": "x", "17951": "86", "179": "y"}, ANNA, id="the longest"),
        pytest.param("12593", {"17951": ""}, "12593", id="another"),
    ],
)
def test_the_customers_number_is_read_as_the_smsc_writes_it(
    written_as: str, prefixes: dict[str, str], expected: str
) -> None:
    mo = {"mo": Mo(prefixes=prefixes)}
    assert arrived(mo, DeliverSm(source_addr=written_as, short_message=b"8")).msisdn == expected
    found = receipt_of(DeliverSm(esm_class=4, source_addr=written_as, short_message=TEXT), route(**mo), as_is)
    assert found is not None
    assert found.msisdn == expected
