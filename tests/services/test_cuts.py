"""Texts cut for a route, again alike for another, and references that do not meet."""

from uuid import UUID

import pytest

from gateway.services.cuts import Order, ReportOn, cut, in_order
from gateway.services.flights import Leg, Outgoing
from gateway.services.references import References
from gateway.sms.cutting import PLAIN, Cutting, Join
from gateway.sms.segment import Split
from tests.services.road import message_to

LONG = "您上月的流量中有一部分为夜间自动更新产生，" * 8  # 168 characters: three parts of 67, or of 66
EDGE = "好" * 134  # two parts of 67, three of 66


def flying(body: str = LONG, uid: int = 0x2907) -> Outgoing:
    return Outgoing(message_to(body=body)._replace(id=UUID(int=uid << 16)))


def cut_by(outgoing: Outgoing, cutting: Cutting, references: References) -> Split:
    """As a route with these habits cuts it; there is no other one."""
    return cut(outgoing, "here", {"here": cutting}.__getitem__, references)


def leave(outgoing: Outgoing) -> None:
    """All of it is at the SMSC, as far as anybody knows."""
    for segment in outgoing.segments:
        segment.copy, segment.state = 1, Leg.UNKNOWN


@pytest.mark.parametrize(
    ("cutting", "body", "how", "reference"),
    [
        pytest.param(PLAIN, "您好", "udh8/1", 0x07, id="one part"),
        pytest.param(PLAIN, LONG, "udh8/3", 0x07, id="header"),
        pytest.param(Cutting(join=Join.UDH16), LONG, "udh16/3", 0x2907, id="header with 16 bits"),
        pytest.param(Cutting(join=Join.SAR), LONG, "sar/3", 0x2907, id="TLVs"),
        pytest.param(Cutting(join=Join.PAYLOAD), LONG, "payload/1", 0x2907, id="whole"),
        pytest.param(Cutting(join=Join.SAR), "您好", "udh8/1", 0x07, id="one part is not joined"),
        pytest.param(Cutting(join=Join.UDH16), EDGE, "udh16/3", 0x2907, id="more parts than were measured"),
    ],
)
def test_a_text_is_cut_as_its_route_wants_it(cutting: Cutting, body: str, how: str, reference: int) -> None:
    outgoing = flying(body)
    made = cut_by(outgoing, cutting, References())
    assert outgoing.cut == how
    assert outgoing.reference == reference
    assert len(made.payloads) == len(outgoing.segments) == int(how.rpartition("/")[2])


def test_two_texts_to_one_number_do_not_share_a_reference() -> None:
    references = References()
    first, second = flying(uid=0x0107), flying(uid=0x0207)
    before, after = (cut_by(each, PLAIN, references) for each in (first, second))
    assert (first.reference, second.reference) == (7, 8)
    assert (first.cut, second.cut) == ("udh8/3", "udh8/3#8")
    assert {payload[3] for payload in before.payloads} == {7}
    assert {payload[3] for payload in after.payloads} == {8}


def test_while_nothing_has_left_it_is_cut_anew_for_each_route() -> None:
    outgoing, references = flying(EDGE), References()
    for cutting, total in ((Cutting(join=Join.UDH16), 3), (PLAIN, 2), (Cutting(join=Join.PAYLOAD), 1)):
        cut_by(outgoing, cutting, references)
        assert [segment.number for segment in outgoing.segments] == list(range(1, total + 1))


def test_what_was_put_off_before_is_not_forgotten_with_another_cut() -> None:
    outgoing, references = flying(EDGE), References()
    cut_by(outgoing, PLAIN, references)
    outgoing.segments[1].copy = outgoing.segments[1].refusals = outgoing.segments[1].patience = 2
    cut_by(outgoing, Cutting(join=Join.SAR), references)
    assert [(each.patience, each.doubtful) for each in outgoing.segments] == [(2, 0)] * len(outgoing.segments)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(Cutting(join=Join.SAR), id="other join"),
        pytest.param(Cutting(join=Join.PAYLOAD), id="no parts"),
        pytest.param(Cutting(default="latin1"), id="other alphabet"),
    ],
)
@pytest.mark.parametrize("body", [LONG, "Ihre Anfrage wurde bearbeitet. [1] " * 9], ids=["ucs2", "gsm7"])
def test_what_has_left_is_cut_alike_by_another_route(other: Cutting, body: str) -> None:
    outgoing, references = flying(body), References()
    before = cut_by(outgoing, PLAIN, references)
    leave(outgoing)
    again = cut_by(outgoing, other, references)
    assert outgoing.cut == f"udh8/{len(before.payloads)}"
    assert again.join == before.join
    assert [each[:6] for each in again.payloads] == [each[:6] for each in before.payloads]


def test_what_can_not_be_cut_alike_is_an_error() -> None:
    outgoing = flying(LONG)
    cut_by(outgoing, PLAIN, References())
    leave(outgoing)
    outgoing.segments.pop()
    with pytest.raises(ValueError, match="sent as ucs2 in 2 segments, cut as ucs2 in 3 now"):
        cut_by(outgoing, PLAIN, References())


#: Folded it is GSM 7-bit in two parts, as it is written UCS-2 in four.
FANCY = "“" + "Your complaint has been looked into by a person. " * 4 + "”"


@pytest.mark.parametrize(
    ("first", "then"),
    [
        pytest.param(Cutting(fold=True), PLAIN, id="folded by the first route"),
        pytest.param(PLAIN, Cutting(fold=True), id="folded by the second"),
        pytest.param(Cutting(fold=True), Cutting(default="latin1"), id="another alphabet"),
    ],
)
def test_the_rest_is_cut_as_the_route_of_the_first_attempt_cuts(first: Cutting, then: Cutting) -> None:
    outgoing, cuttings = flying(FANCY), {"first": first, "then": then}
    before = cut(outgoing, "first", cuttings.__getitem__, References())
    leave(outgoing)
    again = cut(outgoing, "then", cuttings.__getitem__, References())
    assert (again.encoding, len(again.payloads)) == (before.encoding, len(before.payloads))
    assert outgoing.cut_for == "first"


def test_parts_of_another_encoding_do_not_go_for_the_rest() -> None:
    """Its route is gone, and as many parts in another encoding are still others."""
    body = "“" + "x" * 70  # two parts in UCS-2, one folded
    outgoing = flying(body)
    cut(outgoing, "gone", {"gone": Cutting(fold=True)}.__getitem__, References())
    leave(outgoing)
    assert outgoing.encoding == "gsm7"
    outgoing.encoding = "other"
    with pytest.raises(ValueError, match="sent as other in 1 segments"):
        cut(outgoing, "then", lambda _: PLAIN, References())


@pytest.mark.parametrize(
    ("order", "report_on", "numbers", "silent"),
    [
        pytest.param("first-first", "each", [1, 2, 3], [], id="usual"),
        pytest.param("last-first", "each", [3, 2, 1], [], id="last part first"),
        pytest.param("first-first", "last-sent", [1, 2, 3], [1, 2], id="receipt for the last"),
        pytest.param(
            "last-first", "last-sent", [3, 2, 1], [3, 2], id="last part first, receipt for the first"
        ),
    ],
)
def test_parts_go_as_the_route_says(
    order: Order, report_on: ReportOn, numbers: list[int], silent: list[int]
) -> None:
    outgoing = flying()
    cut_by(outgoing, PLAIN, References())
    due = in_order(outgoing, order, report_on)
    assert [segment.number for segment in due] == numbers
    assert [segment.number for segment in due if segment.silent] == silent


def test_a_part_that_goes_again_alone_asks_for_its_receipt() -> None:
    outgoing = flying()
    cut_by(outgoing, PLAIN, References())
    in_order(outgoing, "first-first", "last-sent")
    for segment in outgoing.segments[1:]:
        segment.state = Leg.TAKEN
    assert [segment.silent for segment in in_order(outgoing, "first-first", "last-sent")] == [False]


@pytest.mark.parametrize(
    ("cutting", "silent", "told"),
    [
        pytest.param(PLAIN, False, None, id="as usual"),
        pytest.param(Cutting(join=Join.SAR), False, "sar/3", id="another way"),
        pytest.param(PLAIN, True, "udh8/3 silent", id="no receipt asked for"),
    ],
)
def test_the_log_is_told_what_is_not_usual(cutting: Cutting, silent: bool, told: str | None) -> None:
    outgoing = flying()
    cut_by(outgoing, cutting, References())
    outgoing.segments[0].silent = silent
    assert outgoing.told_of(outgoing.segments[0]) == told
