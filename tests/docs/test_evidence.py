"""docs/evidence.md tells each kind, cause and command that there is, and its recipe makes the hash."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from gateway.cli import parser
from gateway.domain.evidence import ORIGIN, Head, canonical, follow
from gateway.domain.tampering import Cause, What
from gateway.domain.testimony import Kind
from tests.services.testimony import cnf, entries

TEXT = (Path(__file__).parents[2] / "docs" / "evidence.md").read_text(encoding="utf-8")
SHELL = "\n".join(re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL))
COMMANDS = re.findall(r"^huiyin [^#\n]+", SHELL, re.MULTILINE)


@pytest.mark.parametrize("word", [*Kind, *Cause, *What])
def test_each_word_is_told(word: str) -> None:
    assert f"`{word}`" in TEXT


@pytest.mark.parametrize("line", COMMANDS)
def test_the_commands_shown_are_ones_that_are_taken(line: str) -> None:
    words = shlex.split(line.partition(">")[0])[1:]
    assert parser().parse_args(words).command.name == " ".join(words[:2])


def test_the_recipe_makes_the_hash() -> None:
    recipe = SHELL[SHELL.index("printf 'huiyin") :]
    row = follow(Head(7, 0, ORIGIN), entries(cnf(1)))[0][2]
    assert row.at is not None
    given = {
        "bucket": "7",
        "n": str(row.n),
        "uuid": str(row.confirmation_id),
        "at": canonical(row.at).strip('"'),
        "previous": row.previous.hex(),
        "kind": row.kind,
        "body": row.body,
    }
    made = subprocess.run(
        ["bash", "-c", recipe], env={"PATH": "/usr/bin:/bin", **given}, capture_output=True, check=True
    )
    assert made.stdout.split()[0].decode() == row.hash.hex()
