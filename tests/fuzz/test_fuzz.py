"""A small share of each campaign with every run of the tests; and that a campaign finds what is broken."""

import random
import re
import struct
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from gateway.smpp import codec, receipt
from gateway.smpp.pdu import SubmitSmResp
from gateway.smpp.session import Session
from gateway.smpp.window import Window
from gateway.sms import coding, reassembly
from tests.fuzz.__main__ import TARGETS, main
from tests.fuzz.campaign import Campaign, Figures, octets_of
from tests.fuzz.target import Target

CASES = {
    "codec": 6000,
    "framing": 5000,
    "times": 5000,
    "session": 2500,
    "text": 3500,
    "udh": 10000,
    "receipts": 6000,
    "reassembly": 2000,
}


@pytest.mark.parametrize("name", TARGETS)
def test_mutated_octets_break_nothing(name: str, tmp_path: Path) -> None:
    figures = Campaign(TARGETS[name], seed=20261122, keep=tmp_path).run(cases=CASES[name], seconds=None)
    assert figures.failures == []
    assert figures.inputs == CASES[name]


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize(
    "data", [b"", b"\0", b"\xff" * 40, bytes(range(256)) * 3], ids=["none", "nul", "ones", "all"]
)
def test_a_target_takes_any_octets(name: str, data: bytes) -> None:
    TARGETS[name].run(data)


def test_the_same_seed_is_the_same_inputs() -> None:
    for target in TARGETS.values():
        assert octets_of(target, 5, 17) == octets_of(target, 5, 17, random.Random(99))
        assert len({octets_of(target, 5, number) for number in range(50)}) > 25


# That it finds what is broken


def campaign(name: str, keep: Path, cases: int = 3000) -> Figures:
    return Campaign(TARGETS[name], seed=1, keep=keep, most_failures=1).run(cases=cases, seconds=None)


def quick_without_bounds(frame: bytes, command_status: int, sequence_number: int) -> Any:
    return SubmitSmResp(sequence_number, command_status, {}, (), frame[16:-1].decode("latin-1"))


def answers_twice(self: Session, pdu: Any) -> None:
    self._out.append(codec.encode(pdu) * 2)
    if self._owed:
        self._owed -= 1


def forgets_the_oldest(self: Window, before: float) -> list[Any]:
    late = [number for number, request in self.pending.items() if request.sent_at <= before]
    return [self.pending.pop(number) for number in late][1:]


def reads_four(data: bytes) -> None:
    struct.unpack(">I", data)


BROKEN = [
    pytest.param(
        "codec", codec._QUICK, 0x80000004, quick_without_bounds, id="a quick way that looks at nothing"
    ),
    pytest.param(
        "framing", codec.FrameReader, "buffered", property(lambda _: 1 << 20), id="a reader that hoards"
    ),
    pytest.param("session", Session, "respond", answers_twice, id="a session that answers twice"),
    pytest.param("session", Session, "_refuse", lambda *_: None, id="a session that never refuses"),
    pytest.param("session", Window, "expire", forgets_the_oldest, id="a window that forgets a token"),
    pytest.param("session", Window, "clear", lambda _: (), id="a close that forgets its tokens"),
    pytest.param(
        "text",
        coding,
        "decode",
        lambda octets, *_: coding.Decoded(octets.decode("latin-1"), False),
        id="NULs",
    ),
    pytest.param("receipts", receipt, "_TEXT", re.compile("never"), id="words that forge an id"),
    pytest.param(
        "reassembly", reassembly.Reassembler, "_give_up", lambda self, key: self._remove(key), id="parts lost"
    ),
]


@pytest.mark.parametrize(("name", "where", "what", "broken"), BROKEN)
def test_what_is_broken_is_found(
    name: str, where: Any, what: Any, broken: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if isinstance(where, dict):
        monkeypatch.setitem(where, what, broken)
    else:
        monkeypatch.setattr(where, what, broken)
    figures = campaign(name, tmp_path)
    assert figures.failures
    [kept] = tmp_path.iterdir()
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever breaks, it breaks again
        TARGETS[name].run(bytes.fromhex(kept.read_text()))


def test_what_is_slow_is_kept(tmp_path: Path) -> None:
    def busy(data: bytes) -> None:
        until = time.thread_time() + 0.06
        while data[0] == 7 and time.thread_time() < until:
            pass

    target = Target("busy", "", lambda random: bytes((random.randrange(16),)), busy)
    figures = Campaign(target, seed=1, keep=tmp_path, most_failures=1).run(cases=500, seconds=None)
    assert "ms for one input" in figures.failures[0]
    assert figures.slowest_ms > 50
    assert [file.read_text() for file in tmp_path.iterdir()] == ["07\n"]


def test_memory_that_grows_is_told(tmp_path: Path) -> None:
    hoard: list[bytearray] = []
    target = Target("hoard", "", lambda _: b"", lambda _: hoard.append(bytearray(b"x" * 40_000)))
    figures = Campaign(target, seed=1, keep=tmp_path).run(cases=2000, seconds=None)
    assert figures.failures[0].startswith("memory grew")


def test_the_command_says_how_to_have_it_again(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["udh", "times", "--cases", "300"]) == 0
    assert "times" in capsys.readouterr().out
    monkeypatch.setitem(TARGETS, "udh", Target("udh", "", TARGETS["udh"].make, reads_four))
    assert main(["udh", "--cases", "300", "--seed", "4"]) == 1
    assert "python -m tests.fuzz udh --seed 4 --first 0 --cases 1" in capsys.readouterr().out
    [kept, *_] = sorted((tmp_path / ".fuzz").iterdir())
    with pytest.raises(struct.error):
        main(["udh", "--input", str(kept)])


@pytest.mark.parametrize("argv", [["nothing"], ["--engine", "atheris"], ["udh", "codec", "--input", "x"]])
def test_what_the_command_cannot_do_it_says(argv: list[str]) -> None:
    with pytest.raises(SystemExit):
        main(argv)


def test_without_the_guided_engine_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "atheris", None)
    with pytest.raises(SystemExit, match="not installed"):
        main(["udh", "--engine", "atheris"])
