"""`huiyin smsc`: its options about TLS, and what it says of them."""

import argparse
import asyncio
import sys
from pathlib import Path

import pytest

from gateway.app import stands
from gateway.cli.answer import FAILED, WRONG_USE
from gateway.cli.commands import COMMANDS
from gateway.config import Settings


def arguments(*words: str) -> argparse.Namespace:
    [smsc] = [command for command in COMMANDS if command.name == "smsc"]
    parser = argparse.ArgumentParser()
    smsc.options(parser)
    return parser.parse_args(["--listen", "127.0.0.1:0", *words])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["--tls-key", "k"], "go together", id="a key alone"),
        pytest.param(["--tls-client-ca", "c"], "needs", id="an authority alone"),
        pytest.param(["--tls-test-ca", "d", "--tls-key", "k"], "alone", id="one too many"),
    ],
)
async def test_options_that_do_not_go_together_are_told(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await stands.smsc(arguments(*words), Settings()) == WRONG_USE
    assert said in capsys.readouterr().err


async def test_certificates_that_are_not_there_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--tls-certificate", str(tmp_path / "none.pem"), "--tls-key", str(tmp_path / "none.key")]
    assert await stands.smsc(arguments(*words), Settings()) == FAILED
    assert "none.pem: can't be read" in capsys.readouterr().err


async def test_without_the_package_for_certificates_the_command_for_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "gateway.simulator.authority", None)
    assert await stands.smsc(arguments("--tls-test-ca", str(tmp_path / "tls")), Settings()) == FAILED
    said = capsys.readouterr().err
    assert f"huiyin smsc: to make certificates, once: {sys.executable} -m pip install" in said


@pytest.mark.parametrize("terminal", [True, False], ids=["on a terminal", "into files"])
async def test_where_it_listens_is_said_once(
    terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for stream in (sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: terminal)
    running = asyncio.create_task(stands.smsc(arguments(), Settings()))
    said, logged = "", ""
    async with asyncio.timeout(10):
        while "smpp://" not in said:
            await asyncio.sleep(0.01)
            said, logged = (a + b for a, b in zip((said, logged), capsys.readouterr(), strict=True))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert ("simulated SMSC listens" in logged) is not terminal
