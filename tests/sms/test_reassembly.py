"""Parts put together in any order, once, within bounds, and given up with what there is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sms import coding, segment, udh
from gateway.sms.cutting import Cutting, Join
from gateway.sms.reassembly import GAP, Complete, Incomplete, Key, Limits, Part, Reassembler
from gateway.sms.shifts import Shift
from tests.sms.test_alphabet import packed as pack

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


def arrivals() -> st.SearchStrategy[list[Part]]:
    """Parts of few senders and references, some alike, some twice, some that can't be."""
    part = st.builds(
        Part,
        id=st.just(""),
        route=st.just("main"),
        sender=st.sampled_from(["8613905310001", "8613905310002"]),
        recipient=st.just("10086"),
        reference=st.integers(1, 2),
        total=st.integers(1, 3),
        number=st.integers(1, 4),
        octets=st.sampled_from([b"a", b"b", b"c"]),
        data_coding=st.just(0),
    )
    return st.lists(part, max_size=40).map(
        lambda parts: [replace(part, id=str(place)) for place, part in enumerate(parts)]
    )


@given(
    arrivals(),
    st.lists(st.integers(0, 30), min_size=40, max_size=40),
    st.integers(1, 6),
    st.integers(1, 8),
)
def test_each_part_is_given_out_once_and_nothing_is_lost(
    parts: list[Part], minutes: list[int], per_sender: int, in_all: int
) -> None:
    limits = Limits(wait=timedelta(minutes=10), per_sender=per_sender, in_all=in_all, remembered=3)
    reassembler = Reassembler(limits)
    out: list[Complete | Incomplete] = []
    now = NOW
    for part, pause in zip(parts, minutes, strict=False):
        now += timedelta(minutes=pause)
        out += reassembler.expire(now)
        if (complete := reassembler.add(part, now)) is not None:
            out.append(complete)
        held = [group.parts.values() for group in reassembler._groups.values()]
        assert len(reassembler) == sum(map(len, held)) <= in_all
        for sender in {part.sender for group in held for part in group}:
            assert sum(part.sender == sender for group in held for part in group) <= per_sender
        assert len(reassembler._done) <= 3
    out += reassembler.expire(now + timedelta(days=1))
    assert len(reassembler) == 0
    assert (reassembler._groups, reassembler._by_sender, reassembler._counts) == ({}, {}, {})
    given_out = [each for text in out for each in text.parts]
    assert len(given_out) == len(set(given_out))
    by_id = {part.id: part for part in parts}
    # A part like one that is held, or was given out, is that one again.
    told = {(by_id[each].key, by_id[each].number, by_id[each].octets) for each in given_out}
    assert told == {(part.key, part.number, part.octets) for part in parts}
    for text in out:
        assert {by_id[each].key for each in text.parts} == {text.key}
        if isinstance(text, Incomplete):
            assert text.missing
            assert len(text.missing) + len(text.parts) == text.key.total


@given(
    st.data(),
    st.lists(st.text(st.sampled_from("a€您😀["), min_size=150, max_size=500), min_size=2, max_size=4),
)
def test_texts_of_several_senders_under_one_reference_come_out_each_its_own(
    data: st.DataObject, texts: list[str]
) -> None:
    sent = [
        part for at, text in enumerate(texts) for part in parts_of(text + str(at), sender=f"861390531000{at}")
    ]
    reassembler = Reassembler()
    found = {}
    for part in data.draw(st.permutations(sent + sent)):
        if (complete := reassembler.add(part, NOW)) is not None and complete.key.total > 1:
            assert complete.key.sender not in found
            found[complete.key.sender] = complete.text
    expected = {f"861390531000{at}": text + str(at) for at, text in enumerate(texts)}
    assert found == {sender: text for sender, text in expected.items() if len(parts_of(expected[sender])) > 1}
    assert len(reassembler) == 0


def test_part_like_one_of_the_last_text_under_the_same_reference_is_not_lost() -> None:
    old, new = parts_of("您" * 67 + "谢谢"), parts_of("好" * 67 + "谢谢")
    reassembler = Reassembler()
    told = [reassembler.add(part, NOW) for part in (*old, *new)]
    assert [text.text for text in told if text] == ["您" * 67 + "谢谢", "好" * 67 + "谢谢"]


@pytest.mark.parametrize("packed", [pytest.param(False, id="septets"), pytest.param(True, id="packed")])
@pytest.mark.parametrize("join", [Join.UDH8, Join.UDH16])
@pytest.mark.parametrize("shifts", [pytest.param((), id="GSM"), pytest.param((Shift.TURKISH,), id="Turkish")])
def test_parts_are_read_under_their_headers(packed: bool, join: Join, shifts: tuple[Shift, ...]) -> None:
    text = ("Şu anda [ığıl] €uro! " if shifts else "à la [carte] €uro! ") * 25
    whole = segment.split(text, 7, Cutting(join=join, shifts=shifts))
    assert whole.encoding == "gsm7"
    reassembler = Reassembler()
    outcome = None
    for number, payload in reversed(list(enumerate(whole.payloads, start=1))):
        header, body = udh.take(payload, whole.esm_class)
        part = replace(
            parts_of("a")[0],
            total=len(whole.payloads),
            number=number,
            octets=coding.unpacked(pack(body, header.fill_bits), 0, header=header) if packed else body,
            header=header,
        )
        outcome = reassembler.add(part, NOW)
    assert outcome is not None
    assert (outcome.text, outcome.ill_formed) == (text, False)
