"""Optional parameters on their own: numbers of any width, strings with and without their NUL."""

import pytest

from gateway.smpp import tlv
from gateway.smpp.constants import Tag


@pytest.mark.parametrize(
    ("value", "number"),
    [(b"\x02", 2), (b"\0\x02", 2), (b"\x01\x02", 258), (b"", None), (None, None)],
    ids=["one octet", "two, zero in front", "two", "empty", "absent"],
)
def test_a_number_is_read_whatever_its_width(value: bytes | None, number: int | None) -> None:
    tlvs = {} if value is None else {int(Tag.MESSAGE_STATE): value}
    assert tlv.octet(tlvs, Tag.MESSAGE_STATE) == number


@pytest.mark.parametrize(
    ("value", "text"),
    [(b"abc\0", "abc"), (b"abc", "abc"), (b"a\0bc", "a"), (b"", ""), (None, None)],
    ids=["with its NUL", "without", "NUL inside", "empty", "absent"],
)
def test_a_string_ends_at_its_nul_or_with_its_value(value: bytes | None, text: str | None) -> None:
    tlvs = {} if value is None else {int(Tag.RECEIPTED_MESSAGE_ID): value}
    assert tlv.text(tlvs, Tag.RECEIPTED_MESSAGE_ID) == text


def test_parameters_have_names() -> None:
    assert (tlv.name(0x0424), tlv.name(0x1400)) == ("message_payload", "0x1400")
