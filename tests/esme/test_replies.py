"""Customers' messages in every form that SMSCs give them, from the PDU to the text that is read."""

# ruff: noqa: E501 - one form a line, so that the table can be read down its columns

from datetime import UTC, datetime

import pytest

from gateway.domain.msisdn import parse_msisdn
from gateway.esme.profile import Mo, Profile, Text
from gateway.esme.route import Route
from gateway.esme.translate import short_message_of
from gateway.services.parts import place_of
from gateway.smpp import codec
from gateway.smpp.pdu import DataSm, DeliverSm
from gateway.sms import coding, udh

NOW = datetime(2026, 11, 22, 9, 44, tzinfo=UTC)
Place = tuple[int | None, int, int]
ALONE: Place = (None, 1, 1)
BY_HEADER: Place = (7, 2, 1)
BY_WIDE_HEADER: Place = (0x11234, 3, 2)  # kept apart from an 8-bit reference of the same value
BY_SAR: Place = (0x20007, 2, 1)  # and from both


def customer(address: str) -> str:
    return parse_msisdn(address, ("cn",)) or address.removeprefix("+")


def read(pdu: DeliverSm | DataSm, profile: Profile) -> tuple[str, Place, str]:
    """The text, its place among others and its sender, as the gateway reads them off the wire."""
    route = Route(name="main", accounts=(), profile=profile)
    frame = codec.decode(codec.encode(pdu))
    assert isinstance(frame, DeliverSm | DataSm)
    came = short_message_of(frame, route, "main/1#x", NOW, customer)
    header, octets = udh.take(came.payload, came.esm_class)
    text = coding.decode(octets, came.data_coding, route.default_alphabet, header).text
    place: Place = place_of(header, came.reference, came.total, came.number)
    return text, place, came.msisdn


UCS2 = "很满意".encode("utf-16-be")
HEAD8 = udh.concatenation(7, 2, 1)
HEAD16 = udh.concatenation(0x1234, 3, 2, wide=True)
SAR = {0x20C: b"\0\7", 0x20E: b"\2", 0x20F: b"\1"}
PACKED = bytes.fromhex("e8329bfd06")  # hello, septets as on the air


@pytest.mark.parametrize(
    ("fields", "profile", "text", "place"),
    [
        pytest.param({"short_message": b"8"}, Profile(), "8", ALONE, id="default alphabet"),
        pytest.param({"short_message": b"\x00\x1b\x65"}, Profile(), "@€", ALONE, id="extension table"),
        pytest.param({"short_message": b"8 ok", "data_coding": 1}, Profile(), "8 ok", ALONE, id="ASCII"),
        pytest.param({"short_message": b"na\xefve", "data_coding": 3}, Profile(), "naïve", ALONE, id="Latin-1"),
        pytest.param({"short_message": b"8 ok", "data_coding": 4}, Profile(), "8 ok", ALONE, id="octets that are text"),
        pytest.param({"short_message": UCS2, "data_coding": 8}, Profile(), "很满意", ALONE, id="UCS-2"),
        pytest.param({"short_message": UCS2, "data_coding": 0x18}, Profile(), "很满意", ALONE, id="UCS-2 with a class"),
        pytest.param({"short_message": UCS2, "data_coding": 0x19}, Profile(), "很满意", ALONE, id="UCS-2, class 1"),
        pytest.param({"short_message": b"8", "data_coding": 0x10}, Profile(), "8", ALONE, id="flash"),
        pytest.param({"short_message": b"8", "data_coding": 0xF1}, Profile(), "8", ALONE, id="class group"),
        pytest.param({"short_message": UCS2, "data_coding": 8, "tlvs": {0x202: b"\xa01"}}, Profile(), "很满意", ALONE, id="source_subaddress besides"),
        pytest.param({"short_message": b"caf\xe9"}, Profile(text=Text(default_alphabet="latin1")), "café", ALONE, id="the route's default alphabet"),
        pytest.param({"short_message": "满意".encode("gb18030")}, Profile(text=Text(default_alphabet="gb18030")), "满意", ALONE, id="GB 18030 as default"),
        pytest.param({"short_message": HEAD8 + UCS2, "data_coding": 8, "esm_class": 0x40}, Profile(), "很满意", BY_HEADER, id="header, 8 bits"),
        pytest.param({"short_message": HEAD16 + UCS2, "data_coding": 8, "esm_class": 0x40}, Profile(), "很满意", BY_WIDE_HEADER, id="header, 16 bits"),
        pytest.param({"short_message": HEAD8 + UCS2, "data_coding": 8}, Profile(mo=Mo(udh_without_udhi=True)), "很满意", BY_HEADER, id="header without its bit"),
        pytest.param({"short_message": UCS2, "data_coding": 8, "tlvs": SAR}, Profile(), "很满意", BY_SAR, id="sar_*"),
        pytest.param({"short_message": UCS2, "data_coding": 8, "tlvs": SAR}, Profile(mo=Mo(sar=False)), "很满意", ALONE, id="sar_* passed over"),
        pytest.param({"data_coding": 8, "tlvs": {0x424: UCS2}}, Profile(), "很满意", ALONE, id="message_payload"),
        pytest.param({"data_coding": 8, "tlvs": {0x424: HEAD8 + UCS2}, "esm_class": 0x40}, Profile(), "很满意", BY_HEADER, id="header in message_payload"),
        pytest.param({"short_message": PACKED}, Profile(mo=Mo(packed_gsm7=True)), "hello", ALONE, id="packed"),
        pytest.param({"short_message": UCS2 + b"\x00", "data_coding": 8}, Profile(), "很满意\ufffd", ALONE, id="an odd octet"),
        pytest.param({}, Profile(), "", ALONE, id="nothing at all"),
    ],
)  # fmt: skip
def test_a_message_is_read_in_each_form(
    fields: dict[str, object], profile: Profile, text: str, place: Place
) -> None:
    pdu = DeliverSm(source_addr="8613905310001", destination_addr="10086", **fields)  # type: ignore[arg-type]  # of the table
    assert read(pdu, profile) == (text, place, "8613905310001")


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        pytest.param({"data_coding": 8, "tlvs": {0x424: UCS2} | SAR}, BY_SAR, id="numbered by sar_*"),
        pytest.param({"data_coding": 8, "tlvs": {0x424: HEAD8 + UCS2}, "esm_class": 0x40}, BY_HEADER, id="by a header"),
    ],
)  # fmt: skip
def test_data_sm_is_read_alike(fields: dict[str, object], place: Place) -> None:
    pdu = DataSm(source_addr="8613905310001", destination_addr="10086", **fields)  # type: ignore[arg-type]  # of the table
    assert read(pdu, Profile()) == ("很满意", place, "8613905310001")


@pytest.mark.parametrize(
    "address",
    [
        "8613905310001",
        "+8613905310001",
        "008613905310001",
        "13905310001",
        "tel:+8613905310001",
        "tel:13905310001;phone-context=+86",
    ],
)
def test_a_customer_is_one_however_the_number_is_written(address: str) -> None:
    pdu = DeliverSm(short_message=b"8")
    pdu.source_addr = address
    route = Route(name="main", accounts=())
    assert short_message_of(pdu, route, "main/1#x", NOW, customer).msisdn == "8613905310001"
