"""How a message wishes to be carried: kept and read again, tags and octets as callers write them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.handling import RESERVED, Handling, octets_of, read_handling, read_octets, read_tag

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def test_nothing_wished_is_nothing_stored() -> None:
    assert Handling().written() is None
    assert read_handling(None) is None


@given(
    st.builds(
        Handling,
        flash=st.booleans(),
        priority=st.none() | st.integers(0, 3),
        deliver_at=st.none() | st.datetimes(timezones=st.just(UTC)),
        parameters=st.dictionaries(st.integers(1, 0xFFFF), st.binary(max_size=20), max_size=5),
    )
)
def test_what_is_stored_is_read_again(handling: Handling) -> None:
    assert read_handling(handling.written()) == (handling if handling != Handling() else None)


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        pytest.param("0x1403", 0x1403, id="tag"),
        pytest.param("0x5", 5, id="short"),
        pytest.param("0xffff", 0xFFFF, id="last"),
    ],
)
def test_tags(text: str, tag: int) -> None:
    assert read_tag(text) == tag


@pytest.mark.parametrize(
    "text", ["", "0x", "0x0", "0x10000", "1403", "0x14_3", "0x14zz", "-0x14", "0x１", "0X1403", " 0x14"]
)
def test_what_is_no_tag(text: str) -> None:
    assert read_tag(text) == "is no tag; write it as 0x0001 to 0xFFFF"


@pytest.mark.parametrize("tag", RESERVED)
def test_tags_that_the_gateway_sets_are_refused_with_the_reason(tag: int) -> None:
    assert read_tag(f"0x{tag:04x}") == f"can't be set: it {RESERVED[tag]}"


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        pytest.param("0a0B", b"\x0a\x0b", id="octets"),
        pytest.param("", b"", id="none"),
        pytest.param("0a0", None, id="half an octet"),
        pytest.param("0a 0b", None, id="blank"),
        pytest.param("zz", None, id="no digits"),
        pytest.param("０１", None, id="full-width"),
    ],
)
def test_octets(text: str, octets: bytes | None) -> None:
    found = read_octets(text)
    assert (found if isinstance(found, bytes) else None) == octets


@given(st.text())
def test_no_text_is_too_strange(text: str) -> None:
    assert isinstance(read_tag(text), int | str)
    assert isinstance(read_octets(text), bytes | str)


def test_each_parameter_costs_its_tag_and_length_too() -> None:
    assert octets_of({1: b"", 2: b"abc"}) == 11
