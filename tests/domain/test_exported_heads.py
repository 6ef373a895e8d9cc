"""Heads as a file: read as they were written, and nothing in it can be changed unseen."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.evidence import ORIGIN, Head
from gateway.domain.exported_heads import HeadsFileError, read, write
from gateway.domain.tampering import Kept

AT = datetime(2026, 11, 22, 9, 0, 0, 5, UTC)
HEADS = [Head(0, 0, ORIGIN), Head(7, 41, b"\x01" * 32), Head(255, 10**12, b"\xff" * 32)]
KEY = b"0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize("key", [None, KEY], ids=["unsigned", "signed"])
def test_heads_are_read_as_they_were_written(key: bytes | None) -> None:
    text = write(HEADS, AT, key)
    assert read(text, key) == read(text.encode()) == [Kept(head, AT) for head in HEADS]
    assert text.count("\n") == 8


def test_no_heads_are_a_file_as_well() -> None:
    assert read(write([], AT)) == []


@pytest.mark.parametrize(
    ("text", "key", "why"),
    [
        pytest.param("", None, "is no file of exported heads", id="empty"),
        pytest.param("[]", None, "is no file of exported heads", id="another form"),
        pytest.param(write(HEADS, AT).replace("heads 1", "heads 2"), None, "another format", id="format"),
        pytest.param(write(HEADS, AT).replace(":41}", ":42}"), None, "was changed", id="number"),
        pytest.param(write(HEADS, AT).replace("2026", "2025"), None, "was changed", id="time"),
        pytest.param(write(HEADS, AT).replace("000005Z", "000005"), None, "its zone", id="no zone"),
        pytest.param(write([Head(1, 1, b"")], AT), None, "cut short", id="hash"),
        pytest.param(write(HEADS, AT), KEY, "is not signed", id="unsigned"),
        pytest.param(write(HEADS, AT, KEY[::-1]), KEY, "another key", id="another key"),
    ],
)
def test_what_is_not_to_be_trusted_is_refused(text: str, key: bytes | None, why: str) -> None:
    with pytest.raises(HeadsFileError, match=why):
        read(text, key)


@given(st.data())
def test_no_octet_of_a_signed_file_can_be_changed_to_another_meaning(data: st.DataObject) -> None:
    octets = bytearray(write(HEADS, AT, KEY).encode())
    octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    try:
        kept = read(bytes(octets), KEY)
    except HeadsFileError:
        return
    assert kept == [Kept(head, AT) for head in HEADS]  # a blank for a blank, a capital for a small one
