"""What is hashed, and that nothing else has the same octets."""

import hashlib
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.evidence import ORIGIN, Entry, Head, New, canonical, follow, link, preimage

NINE = datetime(2026, 11, 22, 9, 0, 0, 120, UTC)
CNF = UUID("0199aaaa-0000-7000-8000-000000000007")


class Colour(StrEnum):
    RED = "red"


class Offer(msgspec.Struct):
    price: Decimal
    code: str


@pytest.mark.parametrize(
    ("value", "written"),
    [
        pytest.param({"b": 1, "a": None, "é": True}, '{"a":null,"b":1,"é":true}', id="sorted keys"),
        pytest.param(
            NINE.astimezone(timezone(timedelta(hours=8))), '"2026-11-22T09:00:00.000120Z"', id="times in UTC"
        ),
        pytest.param(datetime(99, 1, 1, tzinfo=UTC), '"0099-01-01T00:00:00.000000Z"', id="four digits"),
        pytest.param(b"\x00Y", '"0059"', id="octets"),
        pytest.param([Decimal("10.50"), Decimal("1E+2")], '["10.50","100"]', id="amounts"),
        pytest.param((CNF, Colour.RED), f'["{CNF}","red"]', id="ids and words"),
        pytest.param(Offer(Decimal(5), "vip"), '{"code":"vip","price":"5"}', id="records"),
        pytest.param('好"\n\0', r'"好\"\n\u0000"', id="texts"),
        pytest.param("\ud83d!", r'"\ud83d!"', id="half a character"),
    ],
)
def test_a_value_is_written_in_one_way(value: Any, written: str) -> None:
    assert canonical(value) == written
    written.encode()


@pytest.mark.parametrize(
    ("value", "error"),
    [
        pytest.param({"price": 1.5}, TypeError, id="float"),
        pytest.param({1: 2}, TypeError, id="key"),
        pytest.param({"a": {1, 2}}, TypeError, id="set"),
        pytest.param(datetime(2026, 1, 1), ValueError, id="no zone"),  # noqa: DTZ001 - the subject
        pytest.param(Decimal("NaN"), ValueError, id="no amount"),
    ],
)
def test_what_has_no_one_way_is_refused(value: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        canonical(value)


def test_the_octets_that_are_hashed_are_those_of_the_documentation() -> None:
    entry = Entry(7, 3, CNF, NINE, "offered", '{"价":"5"}', b"", b"")
    octets = (
        f"huiyin evidence 1\n7\n3\n{CNF}\n2026-11-22T09:00:00.000120Z\n{'00' * 32}\n7:offered\n11:"
        '{"价":"5"}'
    ).encode()
    assert preimage(ORIGIN, entry) == octets
    assert link(ORIGIN, entry) == hashlib.sha256(octets).digest()


entries = st.builds(
    Entry,
    st.integers(0, 255),
    st.integers(1, 30),
    st.uuids(),
    st.datetimes(timezones=st.just(UTC)) | st.none(),
    st.text("a\n1:", max_size=6),
    st.text("a\n1:", max_size=6),
    st.just(b""),
    st.just(b""),
)


@given(entries, entries, st.binary(max_size=2), st.binary(max_size=2))
def test_two_entries_never_have_the_same_octets(one: Entry, other: Entry, a: bytes, b: bytes) -> None:
    assert (preimage(a, one) == preimage(b, other)) == ((a, one) == (b, other))
    same = one._replace(kind=other.kind, body=other.body)
    assert (preimage(a, one) == preimage(a, same)) == (one == same)


def test_entries_follow_the_head() -> None:
    news = [New(7, CNF, NINE, "offered", "{}"), New(7, CNF, NINE, "replied", "{}")]
    chained, head = follow(Head(7, 41, b"\x01" * 32), news)
    assert [entry.n for entry in chained] == [42, 43]
    assert [entry.previous for entry in chained] == [b"\x01" * 32, chained[0].hash]
    assert head == Head(7, 43, chained[1].hash)
    assert chained[1].hash == link(chained[0].hash, chained[1])
    with pytest.raises(ValueError, match="bucket 8"):
        follow(head, [New(8, CNF, NINE, "offered", "{}")])
