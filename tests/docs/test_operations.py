"""docs/operations.md names each figure and command that there is, and none that there is not."""

import re
import shlex

import pytest

from gateway.cli import parser
from tests.docs.figures import PAGE, PLACE, table

TEXT = PAGE.read_text(encoding="utf-8")
COMMANDS = [
    line.replace("\\\n", " ").partition("#")[0]
    for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    for line in re.findall(r"^huiyin (?:[^\\\n]|\\\n)+", block, re.MULTILINE)
]


def test_the_table_of_figures_is_that_of_the_code() -> None:
    found = PLACE.search(TEXT)
    assert found is not None
    assert found[0] == found[1] + table() + found[2], "run: python -m tests.docs.figures"


def test_figures_named_elsewhere_in_the_page_exist() -> None:
    known = set(re.findall(r"^\| `(huiyin_\w+)`", table(), re.MULTILINE))
    assert set(re.findall(r"\bhuiyin_\w+", PLACE.sub("", TEXT))) <= known


@pytest.mark.parametrize("line", COMMANDS)
def test_the_commands_shown_are_ones_that_are_taken(line: str) -> None:
    words = shlex.split(line)[1:]
    args = parser().parse_args(words)
    assert args.command.name == words[0]
