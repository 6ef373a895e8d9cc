"""`huiyin smsc`: its options about TLS, and what it says of them."""

import argparse
from pathlib import Path

import pytest

from gateway.app import stands
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
    assert await stands.smsc(arguments(*words), Settings()) == stands.WRONG_USE
    assert said in capsys.readouterr().err


async def test_certificates_that_are_not_there_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--tls-certificate", str(tmp_path / "none.pem"), "--tls-key", str(tmp_path / "none.key")]
    assert await stands.smsc(arguments(*words), Settings()) == stands.FAILED
    assert "none.pem: can't be read" in capsys.readouterr().err
