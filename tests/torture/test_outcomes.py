"""The faults campaign's own checks on journals written by hand: what is wrong is named."""

from pathlib import Path
from typing import Any

import pytest

from gateway.simulator.record import AnswerLine, ReceiptAnswerLine, ReceiptLine, SubmitLine
from tests.torture.checker import Verdict, ids_alike, part_of
from tests.torture.journal import Asked, Journals, gather
from tests.torture.outcomes import Row, figures, read_log
from tests.torture.states import States

TO = "13905310001"


def arrived(number: int, tag: str, **more: Any) -> list[Any]:
    """A message at the SMSC, answered OK."""
    text = f"业务受理单{tag}已登记。"
    line = SubmitLine(
        0.0, number, "huiyin", 1, "10086", f"86{TO}", f"a{number}", "00", 8, 0, None, text, **more
    )
    return [line, AnswerLine(0.0, number, f"a{number}", 0)]


def told(number: int, *words: str, heard: bool = True) -> list[Any]:
    """Receipts of it, answered OK or not."""
    lines: list[Any] = []
    for word in words:
        lines += [ReceiptLine(0.0, number, f"a{number}", word)]
        lines += [ReceiptAnswerLine(0.0, number, f"a{number}", 0 if heard else 8)]
    return lines


def judged(lines: list[Any], *statuses: str) -> tuple[Row, set[str]]:
    journals, states, verdict = Journals(), States(), Verdict()
    for at, status in enumerate(statuses, 1):
        tag, uid = f"T0000000{at}", f"msg_{at}"
        journals.asked[tag] = Asked(tag, TO, "service", ids=[uid], asked_at=at, heard_at=at + 0.5)
        history = [{"kind": "attempt"}, {"kind": "submitted"}]
        states.messages[uid] = {"id": uid, "ref": tag, "to": f"86{TO}", "status": status}
        states.details[uid] = states.messages[uid] | {"history": history}
    row = Row(name="x", profile="default")
    figures(row, journals, gather(lines), states, verdict)
    return row, {breach.partition(":")[0] for breach in verdict.breaches}


@pytest.mark.parametrize(
    ("words", "heard", "status", "named"),
    [
        pytest.param(("DELIVERED",), True, "delivered", set(), id="delivered"),
        pytest.param(("ENROUTE", "DELIVERED"), True, "delivered", set(), id="after another word"),
        pytest.param(("EXPIRED",), True, "failed", set(), id="failed"),
        pytest.param((), True, "submitted", set(), id="no receipt yet"),
        pytest.param(("DELIVERED",), False, "submitted", set(), id="a receipt that we refused"),
        pytest.param(("EXPIRED",), True, "delivered", {"contradicts"}, id="delivered, and was not"),
        pytest.param((), True, "delivered", {"contradicts"}, id="delivered out of nothing"),
        pytest.param(("DELIVERED",), True, "failed", {"contradicts"}, id="failed, and was delivered"),
        pytest.param(("DELIVERED",), True, "submitted", {"receipts without effect"}, id="no effect"),
    ],
)
def test_an_end_is_held_against_the_smscs_record(
    words: tuple[str, ...], heard: bool, status: str, named: set[str]
) -> None:
    row, found = judged(arrived(1, "T00000001") + told(1, *words, heard=heard), status)
    assert found == named
    assert (row.contradicted, row.silent) == ("contradicts" in named, "receipts without effect" in named)


def test_a_last_word_that_says_otherwise_is_counted() -> None:
    row, found = judged(arrived(1, "T00000001") + told(1, "DELIVERED", "UNDELIVERABLE"), "delivered")
    assert (row.contradicted, found) == (1, set())


@pytest.mark.parametrize(
    ("order", "overtaken"), [pytest.param((1, 2), 0, id="in order"), pytest.param((2, 1), 1, id="overtaken")]
)
def test_who_was_overtaken_is_named(order: tuple[int, int], overtaken: int) -> None:
    lines = [line for number, at in enumerate(order, 1) for line in arrived(number, f"T0000000{at}")]
    row, found = judged(lines, "submitted", "submitted")
    assert (row.overtaken, "overtaken" in found) == (overtaken, bool(overtaken))


def test_parts_are_known_by_their_parameters() -> None:
    sar = {"sar_msg_ref_num": "00ff", "sar_total_segments": "03", "sar_segment_seqnum": "02"}
    assert part_of(arrived(1, "T00000001", tlvs=sar)[0]) == (255, 3, 2)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        pytest.param("a3495c95bb58", "A3495C95BB58", True, id="case"),
        pytest.param("ff", "255", True, id="hex and decimal"),
        pytest.param("0042", "42", True, id="zeros"),
        pytest.param("a1", "a2", False, id="others"),
    ],
)
def test_ids_are_alike_however_they_are_written(one: str, other: str, alike: bool) -> None:
    assert ids_alike(one, other) is alike


def test_log_lines_are_counted_and_tracebacks_found(tmp_path: Path) -> None:
    path = tmp_path / "gateway.log"
    path.write_text(
        '--- start 1\n{"event": "bind down", "level": "warning"}\nTraceback (most recent call last):\n'
    )
    assert read_log(path) == ({"warning: bind down": 1}, ["Traceback (most recent call last):"])
