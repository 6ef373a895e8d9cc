"""`huiyin evidence` as people use it: exit statuses, words, files."""

import argparse
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.app import evidence as command
from gateway.cli import parser
from gateway.config import Database as DatabaseSettings
from gateway.config import Secret, Settings
from gateway.domain.ids import Kind, public
from gateway.domain.tampering import Cause, What
from gateway.storage.database import Database
from tests.services.testimony import cnf, record, story

ONE, TWO = public(Kind.CONFIRMATION, cnf(1)), public(Kind.CONFIRMATION, cnf(2))
KEY = "a key of more than thirty-two octets\n"


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    async with await Database.open(database_dsn, size=2) as database:
        await record(database, cnf(1), cnf(2))
        yield database


@pytest.fixture
def settings(database: Database) -> Settings:
    return Settings(database=DatabaseSettings(dsn=Secret(database.dsn)))


def args(*words: str) -> argparse.Namespace:
    return parser().parse_args(["evidence", *words])


async def tamper(database: Database, statement: str) -> None:
    async with database.transaction() as connection:
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.execute(statement)


BODY = "UPDATE evidence SET body = '{}' WHERE n = 3"


async def test_intact_chains_end_with_0_and_say_what_was_not_tried(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await command.verify(args("verify"), settings) == 0
    said = capsys.readouterr()
    assert said.out == f"256 chains, {2 * len(story())} rows: intact 完好\n"
    assert said.err.startswith("not held against exported heads (--heads)")


async def test_what_was_found_is_named_in_both_languages(
    database: Database, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    await tamper(database, BODY)
    assert await command.verify(args("verify"), settings) == 1
    first, last = capsys.readouterr().out.splitlines()
    assert first == (
        f"changed 被改动: bucket 7, row 3, {ONE}: what stands in it is not what was hashed 内容与写入时不符"
    )
    assert last.endswith("rows: 1 findings 发现 1 处问题")


async def test_programs_get_the_same_as_json(
    database: Database, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    await tamper(database, "DELETE FROM evidence WHERE n = 3")
    assert await command.verify(args("verify", "--json"), settings) == 1
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (told["intact"], told["chains"], told["rows"]) == (False, 256, 2 * len(story()) - 1)
    assert told["findings"] == [
        {"what": "removed", "cause": "gap", "bucket": 7, "n": 3, "last": 3, "confirmation": None}
    ]


async def test_one_confirmation_is_shown_row_by_row(
    database: Database, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await command.verify(args("verify", "--confirmation", ONE), settings) == 0
    said = capsys.readouterr().out.splitlines()
    assert len(said) == len(story()) + 1
    assert all("sound 完好" in line for line in said[:-1])
    await tamper(database, "UPDATE evidence SET hash = '' WHERE n = 3")
    assert await command.verify(args("verify", "--confirmation", ONE), settings) == 1
    assert "changed 被改动" in capsys.readouterr().out.splitlines()[1]
    assert await command.verify(args("verify", "--confirmation", TWO), settings) == 0
    assert "1 more in this chain, about others" in capsys.readouterr().out
    assert await command.verify(args("verify", "--confirmation", ONE, "--json"), settings) == 1
    assert json.loads(capsys.readouterr().out)["entries"] == len(story())


async def test_a_confirmation_of_which_nothing_is_left_is_no_intact_one(
    database: Database, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    await tamper(database, f"DELETE FROM evidence WHERE confirmation_id = '{cnf(1)}'")
    assert await command.verify(args("verify", "--confirmation", ONE), settings) == 1
    said = capsys.readouterr()
    assert "removed 被删除: bucket 7, row 1: the numbers are missing 编号缺失" in said.out
    assert "nothing is on record of it" in said.err
    assert await command.verify(args("verify", "--confirmation", ONE, "--json"), settings) == 1
    assert json.loads(capsys.readouterr().out)["intact"] is False


async def test_heads_are_exported_signed_and_held_against_the_chains(
    database: Database, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key, file = tmp_path / "key", tmp_path / "heads.json"
    key.write_text(KEY)
    assert await command.heads(args("heads", "--key-file", str(key)), settings) == 0
    said = capsys.readouterr()
    file.write_text(said.out)
    assert "keep this where who runs the database can't write" in said.err
    words = ("verify", "--heads", str(file), "--key-file", str(key))
    assert await command.verify(args(*words), settings) == 0
    assert capsys.readouterr().err == ""
    await tamper(database, "UPDATE evidence_heads SET n = 0, hash = decode(repeat('00', 32), 'hex')")
    await tamper(database, "DELETE FROM evidence")
    assert await command.verify(args("verify"), settings) == 0
    assert await command.verify(args(*words), settings) == 1
    assert "exported heads know of rows after the last one" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "content", "why"),
    [
        pytest.param(["--confirmation", "msg_1"], "", "not an id of a confirmation", id="id"),
        pytest.param(["--heads", "FILE"], "{}", "FILE is no file of exported heads", id="no heads"),
        pytest.param(["--heads", "nowhere.json"], "", "No such file", id="no file"),
        pytest.param(["--heads", "FILE", "--key-file", "FILE"], "short", "32 octets or more", id="short key"),
        pytest.param(["--key-file", "FILE"], KEY, "is for the files given with --heads", id="key alone"),
    ],
)
async def test_wrong_use_ends_with_2(
    tmp_path: Path, words: list[str], content: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "FILE"
    file.write_text(content)
    given = [str(file) if word == "FILE" else word for word in words]
    assert await command.verify(args("verify", *given), Settings(home=tmp_path)) == 2
    assert why in capsys.readouterr().err.replace(str(file), "FILE")


async def test_where_there_is_no_database_it_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for given, run in (("verify", command.verify), ("heads", command.heads)):
        assert await run(args(given), Settings(home=tmp_path)) == 1
        assert f"huiyin evidence {given}: there is no database" in capsys.readouterr().err


def test_every_finding_has_its_words() -> None:
    assert command._WHAT.keys() == set(What)
    assert command._CAUSE.keys() == set(Cause)
