"""`huiyin smsc-probe`: it asks before it sends, tells, writes, and ends with 0, 1 or 2."""

import io
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.app.probe import smsc_probe
from gateway.cli import parser
from gateway.config import Settings
from gateway.simulator import scenario
from gateway.simulator.smsc import Smsc
from tests.esme.test_tls import Authority, serving

FEW = ("--messages", "3", "--binds-up-to", "1", "--receipt-wait", "0.3")
TO = ("--to", "13905310001", "--from", "10086")


@pytest.fixture(autouse=True)
def nobody_at_the_keyboard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    monkeypatch.setenv("HUIYIN_SMSC_PASSWORD", "secret")


@pytest.fixture
async def smsc() -> AsyncIterator[Smsc]:
    running = await Smsc.start()
    yield running
    await running.close()


async def run(port: int, *options: str) -> int:
    words = ["smsc-probe", f"127.0.0.1:{port}", "--system-id", "huiyin", *FEW, *options]
    return await smsc_probe(parser().parse_args(words), Settings())


async def test_it_tells_and_writes_a_profile(
    smsc: Smsc, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "main.yaml"
    assert await run(smsc.port, *TO, "--yes", "--write", str(file)) == 0
    said = capsys.readouterr()
    assert f"127.0.0.1:{smsc.port} as huiyin; 3 messages sent" in said.out
    assert "smpplib: accepted" in said.out
    assert "secret" not in said.out + said.err
    assert file.read_text().splitlines()[2] == "extends: default"
    assert 'profile = "main"' in said.err


async def test_what_it_asks_of_the_operator_is_said(smsc: Smsc, capsys: pytest.CaptureFixture[str]) -> None:
    assert await run(smsc.port) == 0
    assert "close the account's other sessions first" in capsys.readouterr().err


async def test_nothing_is_written_without_a_bind_and_it_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    smsc = await Smsc.start(scenario.parse("accounts: [{system_id: huiyin, password: other}]"))
    file = tmp_path / "main.yaml"
    try:
        assert await run(smsc.port, "--write", str(file)) == 1
    finally:
        await smsc.close()
    said = capsys.readouterr()
    assert not file.exists()
    assert f"{file} is not written: everything else: the login is refused" in said.err
    assert "PROFILE" not in said.out


async def test_over_tls_both_clients_show_and_are_shown_a_certificate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    authority = Authority(tmp_path)
    server, ours = authority.signed("server"), authority.signed("ours")
    smsc = await Smsc.start(tls=serving(server, customers=authority.path))
    known = ("--tls", "--tls-ca", str(authority.path))
    try:
        assert await run(smsc.port, *known, "--tls-certificate", str(ours)) == 0
        assert capsys.readouterr().out.count("smpplib: accepted, version 0x34") == 3
        assert await run(smsc.port, "--tls") == 1
        assert "certificate verify failed" in capsys.readouterr().out
    finally:
        await smsc.close()


async def test_in_json_it_is_one_object(smsc: Smsc, capsys: pytest.CaptureFixture[str]) -> None:
    assert await run(smsc.port, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["bound"] is True
    assert told["messages"] == 0


async def test_nothing_is_sent_that_nobody_agreed_to(smsc: Smsc, capsys: pytest.CaptureFixture[str]) -> None:
    assert await run(smsc.port, *TO) == 2
    assert "At most 3 messages to 13905310001, from 10086" in capsys.readouterr().err
    assert smsc.record.counts.submits == 0
    assert smsc.record.counts.binds == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param(("--to", "13905310001"), "--from: say which", id="no sender"),
        pytest.param(("--to", "Anna", "--from", "1"), "--to: Anna is no number", id="no number"),
        pytest.param(("--password-file", "/nowhere/at-all"), "/nowhere/at-all: No such file", id="no file"),
        pytest.param(("--tls-ca", "ca.pem"), "go with --tls", id="a CA without TLS"),
        pytest.param(("--messages", "0"), "bounds are 1 or more", id="no message"),
        pytest.param(("--write", "/nowhere/at-all/x.yaml"), "there is no folder", id="no folder"),
    ],
)
async def test_wrong_use_is_told(
    options: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run(1, *options) == 2
    assert said in capsys.readouterr().err


async def test_where_nobody_answers_it_ends_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert await run(1) == 1
    assert "no connection to 127.0.0.1:1" in capsys.readouterr().out
