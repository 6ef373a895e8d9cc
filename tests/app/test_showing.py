"""`binds`, `trace` and `decode` as an operator sees them."""

import argparse
import io
import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.app import showing
from gateway.config import Settings
from gateway.services.ways import Frame
from gateway.smpp import codec, pdu
from tests.http.fakes import BIND, NOW, ROUTE, world

SUBMIT = codec.encode(
    pdu.SubmitSm(2, source_addr="10086", destination_addr="8613905310001", short_message=b"hello")
)
LINK = codec.encode(pdu.EnquireLink(7))
FRAME = Frame(at=NOW, bind="main/transceiver-1", way="out", words="submit_sm #2", octets="00ff")


def given(**values: Any) -> argparse.Namespace:
    usual = {"url": None, "key": "all", "json": False, "watch": False, "open": False, "file": None}
    asked = {"bind": None, "to": None, "message": None, "limit": None, "follow": False, "all": False}
    return argparse.Namespace(**(usual | asked | values))


async def test_binds_are_a_table_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    async with world() as api:
        assert await showing.binds(given(url=api.url), Settings()) == 0
    said = capsys.readouterr().out
    assert said.startswith("main: throttled (the SMSC says: slower)\n")
    assert "receipts outstanding: 42, the oldest taken" in said
    assert "main/transceiver-1  bound_trx, congestion 84" in said
    assert "12/100" in said
    assert "350 of 500 learned" in said
    assert "12/30 ms" in said
    assert "stopped senders: 10086" in said
    assert "0x0481 × 3" in said


def test_a_bind_that_is_down_says_why_and_when_it_tries_again() -> None:
    down = msgspec.structs.replace(
        BIND,
        state="down",
        again_at=NOW + timedelta(seconds=58),
        last_error="the password is wrong (ESME_RINVPASWD)",
        round_trip=None,
        rate=None,
        congestion=None,
    )
    route = msgspec.structs.replace(ROUTE, state="down", why="no bind that sends", binds=[down])
    lines = showing.tell_routes([route], NOW)
    assert "  main/transceiver-1: the password is wrong (ESME_RINVPASWD)" in lines
    assert any("down, again in 58 s" in line and "no limit" in line for line in lines)


def test_what_is_wrong_with_all_binds_is_told_once() -> None:
    error = "The password is wrong. (ESME_RINVPASWD)"
    down = [msgspec.structs.replace(BIND, name=f"main/{n}", state="down", last_error=error) for n in (1, 2)]
    route = msgspec.structs.replace(ROUTE, state="up", why="", binds=down)
    assert f"  main/1, main/2: {error}" in showing.tell_routes([route], NOW)
    told = msgspec.structs.replace(route, state="down", why=f"main/1, main/2: {error}")
    assert "\n".join(showing.tell_routes([told], NOW)).count(error) == 1


async def test_binds_in_json_are_what_the_gateway_answers(capsys: pytest.CaptureFixture[str]) -> None:
    async with world() as api:
        assert await showing.binds(given(url=api.url, json=True), Settings()) == 0
    assert json.loads(capsys.readouterr().out)["data"][0]["name"] == "main"


async def test_a_trace_is_a_line_a_pdu(capsys: pytest.CaptureFixture[str]) -> None:
    async with world() as api:
        api.ways.frames = [FRAME]
        asked = given(url=api.url, follow=True, open=True, all=True, to="13905310001", limit=5)
        assert await showing.trace(asked, Settings()) == 0
        wanted, last = api.ways.asked[0]
    assert (wanted.number, wanted.open, wanted.quiet, last) == ("13905310001", True, False, 5)
    line, octets = capsys.readouterr().out.splitlines()
    assert line.endswith("main/transceiver-1 -> submit_sm #2")
    assert octets.strip() == "00ff"


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        pytest.param({"bind": "other"}, 2, "huiyin trace: There is no bind 'other'", id="no bind"),
        pytest.param({"key": "nobody"}, 1, "No valid API key", id="no key"),
    ],
)
async def test_what_the_gateway_refuses_is_told(
    asked: dict[str, Any], status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with world() as api:
        assert await showing.trace(given(url=api.url, **asked), Settings()) == status
    assert said in capsys.readouterr().err


async def test_without_a_gateway_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert await showing.binds(given(url="http://127.0.0.1:1"), Settings()) == 1
    assert "nothing answers at http://127.0.0.1:1" in capsys.readouterr().err


@pytest.mark.parametrize("command", [showing.binds, showing.trace])
async def test_a_reader_that_has_seen_enough_is_no_trouble_of_the_gateway(
    command: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Shut(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Shut())
    async with world() as api:
        api.ways.frames = [FRAME]
        with pytest.raises(BrokenPipeError):
            await command(given(url=api.url), Settings())


def spaced(octets: bytes) -> str:
    return octets.hex(" ")


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(SUBMIT.hex(), id="in one"),
        pytest.param(spaced(SUBMIT).upper(), id="spaced, upper case"),
        pytest.param(f"2026-11-22 09:00:01 DEBUG >> {SUBMIT.hex()} (58 bytes)", id="a line of a log"),
        pytest.param(":".join(f"{octet:02x}" for octet in SUBMIT), id="colons"),
        pytest.param("".join(f"\\x{octet:02x}" for octet in SUBMIT), id="escaped"),
        pytest.param(f"{spaced(SUBMIT[:16])}\n{spaced(SUBMIT[16:])}", id="on two lines"),
        pytest.param(
            "\n".join(f"{at:04x}  {spaced(SUBMIT[at : at + 16])}   hello..." for at in range(0, 58, 16)),
            id="a dump with offsets and letters",
        ),
        pytest.param(f"{LINK.hex()}\n\n{SUBMIT.hex()}", id="after another"),
    ],
)
def test_hex_is_read_as_people_paste_it(
    written: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(written.encode())))
    assert showing.decode(given(), Settings()) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        "submit_sm #2 source_addr=10086 destination_addr=861***01 short_message=<5 octets>"
    )


@pytest.mark.parametrize(
    ("octets", "status", "said"),
    [
        pytest.param(SUBMIT + LINK, 0, ["submit_sm #2", "enquire_link #7"], id="a stream"),
        pytest.param(
            b"\xff\xfe" + LINK + LINK, 1, ["no PDU: calls", "enquire_link #7", "enquire_link #7"], id="torn"
        ),
        pytest.param(SUBMIT + LINK[:8], 1, ["submit_sm #2", "no PDU: calls itself 16"], id="cut off"),
        pytest.param(b"hello, no hex here\n", 1, [], id="words"),
        pytest.param(b"", 1, [], id="nothing"),
        pytest.param(b"\xd4\xc3\xb2\xa1rest", 2, [], id="a capture file"),
    ],
)
def test_a_file_is_told_pdu_by_pdu(
    octets: bytes, status: int, said: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "stream.bin"
    file.write_bytes(octets)
    assert showing.decode(given(file=file), Settings()) == status
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(said)
    assert all(line.startswith(start) for line, start in zip(lines, said, strict=True))


def test_a_file_opened_shows_the_words_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "stream.bin"
    file.write_bytes(SUBMIT)
    assert showing.decode(given(file=file, open=True, json=True), Settings()) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["octets"] == SUBMIT.hex()
    assert 'destination_addr=8613905310001 short_message="hello"' in shown["words"]
