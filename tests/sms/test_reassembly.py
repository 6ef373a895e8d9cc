"""Parts put together in any order, once, within bounds, and given up with what there is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sms import segment, udh
from gateway.sms.cutting import Cutting, Join
from gateway.sms.reassembly import GAP, Complete, Key, Limits, Part, Reassembler

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
LONG = "您好，" + "流量没有用，为什么扣费？" * 20 + "😀"


def parts_of(text: str, sender: str = "8613905310001", reference: int = 7) -> list[Part]:
    whole = segment.bodies(text)
    return [
        Part(
            id=f"{sender}-{reference}-{number}",
            route="main",
            sender=sender,
            recipient="10086",
            reference=reference,
            total=len(whole.payloads),
            number=number,
            octets=octets,
            data_coding=whole.data_coding,
        )
        for number, octets in enumerate(whole.payloads, start=1)
    ]


@given(st.data(), st.text(st.sampled_from("a€您😀["), min_size=160, max_size=600))
def test_any_order_with_any_duplicates_gives_the_text_once(data: st.DataObject, text: str) -> None:
    parts = parts_of(text)
    arrivals = data.draw(st.permutations(parts + data.draw(st.lists(st.sampled_from(parts), max_size=5))))
    reassembler = Reassembler()
    outcomes = [reassembler.add(part, NOW) for part in arrivals]
    complete = [outcome for outcome in outcomes if outcome is not None]
    assert [outcome.text for outcome in complete] == [text]
    assert complete[0].parts == tuple(part.id for part in parts)
    assert len(reassembler) == 0
    assert reassembler.expire(NOW + timedelta(days=1)) == []


def test_two_senders_with_one_reference_are_not_mixed() -> None:
    one, two = parts_of(LONG), parts_of(LONG.replace("流量", "话费"), sender="8613905310002")
    reassembler = Reassembler()
    outcomes = [reassembler.add(part, NOW) for pair in zip(one, two, strict=True) for part in pair]
    assert [o.text for o in outcomes if o] == [LONG, LONG.replace("流量", "话费")]


@pytest.mark.parametrize("field", ["route", "sender", "recipient", "reference", "total"])
def test_each_field_of_the_key_keeps_parts_apart(field: str) -> None:
    first, second = parts_of("您" * 100)
    other: dict[str, object] = {"reference": 8, "total": 3}
    reassembler = Reassembler()
    assert reassembler.add(first, NOW) is None
    assert reassembler.add(replace(second, **{field: other.get(field, "x")}), NOW) is None  # type: ignore[arg-type]  # the field is a parameter
    assert len(reassembler) == 2


def test_part_delivered_again_after_the_end_starts_nothing() -> None:
    parts = parts_of(LONG)
    reassembler = Reassembler()
    for part in parts:
        reassembler.add(part, NOW)
    assert reassembler.add(parts[0], NOW + timedelta(minutes=5)) is None
    assert len(reassembler) == 0


def test_reference_that_comes_round_starts_a_new_text() -> None:
    reassembler = Reassembler()
    for part in parts_of("您" * 100):
        reassembler.add(part, NOW)
    outcomes = [reassembler.add(part, NOW) for part in parts_of("好" * 100)]
    assert [o.text for o in outcomes if o] == ["好" * 100]


def test_other_text_under_a_number_already_taken_gives_up_the_older() -> None:
    old, new = parts_of("您" * 100), parts_of("好" * 100)
    reassembler = Reassembler()
    reassembler.add(old[0], NOW)
    assert reassembler.add(new[0], NOW) is None
    complete = reassembler.add(new[1], NOW)
    assert complete is not None
    assert complete.text == "好" * 100
    assert [given_up.parts for given_up in reassembler.expire(NOW)] == [(old[0].id,)]


def test_what_stays_incomplete_is_given_out_and_marked() -> None:
    parts = parts_of("您" * 67 + "好" * 67 + "吗" * 67 + "哦" * 10)
    reassembler = Reassembler(Limits(wait=timedelta(minutes=10)))
    reassembler.add(parts[2], NOW)
    reassembler.add(parts[0], NOW + timedelta(minutes=5))
    assert reassembler.expire(NOW + timedelta(minutes=9)) == []
    (given_up,) = reassembler.expire(NOW + timedelta(minutes=10))
    assert given_up.text == "您" * 67 + GAP + "吗" * 67 + GAP
    assert given_up.missing == (2, 4)
    assert given_up.parts == (parts[0].id, parts[2].id)
    assert given_up.key == Key("main", "8613905310001", "10086", 7, 4)
    assert len(reassembler) == 0


def test_pairs_that_another_sender_tore_are_whole_again() -> None:
    octets = ("您" * 66 + "😀").encode("utf-16-be")
    first, second = parts_of("您" * 100)
    reassembler = Reassembler()
    reassembler.add(replace(second, octets=octets[134:]), NOW)
    complete = reassembler.add(replace(first, octets=octets[:134]), NOW)
    assert complete is not None
    assert (complete.text, complete.ill_formed) == ("您" * 66 + "😀", False)


def test_parts_in_different_codings_are_each_read_in_theirs() -> None:
    first, second = parts_of("您" * 100)
    reassembler = Reassembler()
    reassembler.add(first, NOW)
    complete = reassembler.add(replace(second, octets=b"thanks \x1b\x65", data_coding=0), NOW)
    assert complete is not None
    assert complete.text == "您" * 67 + "thanks €"


def test_one_sender_cannot_fill_the_memory() -> None:
    reassembler = Reassembler(Limits(per_sender=10))
    for reference in range(50):
        reassembler.add(parts_of(LONG, reference=reference)[0], NOW)
    assert len(reassembler) == 10
    assert len(reassembler.expire(NOW)) == 40
    other = [reassembler.add(part, NOW) for part in parts_of(LONG, sender="8613905310002")]
    assert other[-1] is not None


def test_all_senders_together_cannot_either_and_the_oldest_leave_first() -> None:
    reassembler = Reassembler(Limits(in_all=3))
    for number in range(5):
        reassembler.add(parts_of(LONG, sender=f"861390531000{number}")[0], NOW)
    assert len(reassembler) == 3
    assert [gone.key.sender for gone in reassembler.expire(NOW)] == ["8613905310000", "8613905310001"]


def test_stored_parts_build_it_again_with_their_times() -> None:
    parts = parts_of(LONG)
    reassembler = Reassembler(Limits(wait=timedelta(minutes=10)))
    assert reassembler.restore((part, NOW) for part in parts[:-1]) == []
    complete = reassembler.add(parts[-1], NOW + timedelta(minutes=1))
    assert isinstance(complete, Complete)
    assert complete.text == LONG
    assert len(reassembler.restore((part, NOW) for part in parts_of(LONG, reference=8))) == 1


@pytest.mark.parametrize("number", [pytest.param(0, id="part 0"), pytest.param(9, id="part 9 of 2")])
def test_impossible_number_still_delivers_its_text(number: int) -> None:
    part = replace(parts_of("您" * 100)[0], number=number)
    complete = Reassembler().add(part, NOW)
    assert complete is not None
    assert complete.text == "您" * 67


def test_headers_lead_to_parts() -> None:
    whole = segment.split(LONG, 0xBEEF, Cutting(join=Join.UDH16))
    reassembler = Reassembler()
    outcome = None
    for payload in reversed(whole.payloads):
        header, body = udh.take(payload, whole.esm_class)
        found = header.concatenation
        assert found is not None
        part = replace(
            parts_of("a")[0],
            id=str(found.number),
            reference=found.reference,
            total=found.total,
            number=found.number,
            octets=body,
            data_coding=whole.data_coding,
        )
        outcome = reassembler.add(part, NOW)
    assert outcome is not None
    assert outcome.text == LONG
