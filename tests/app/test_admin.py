"""Commands for those who run it: what they say where there is no database, no gateway or no name."""

import argparse
import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gateway.app import admin, database
from gateway.cli import parser
from gateway.config import Database, Secret, Settings
from gateway.http.resources import ROUTES
from gateway.storage import migrate as migrations

KEY = {"name": "crm", "scopes": ["read"], "rate": None, "json": False}
MESSAGE = "msg_019ab4e8d2f07a3b9c1d2e3f40516273"


def given(**values: Any) -> argparse.Namespace:
    return argparse.Namespace(**values)


def on(dsn: str) -> Settings:
    return Settings(database=Database(dsn=Secret(dsn)))


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "MADE_SECONDS", 0.3)
    monkeypatch.setattr(database, "ANSWER_SECONDS", 0.3)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    ("command", "args"),
    [
        pytest.param(admin.key_list, given(json=False), id="key list"),
        pytest.param(admin.key_create, given(**KEY), id="key create"),
        pytest.param(admin.explain, given(id=MESSAGE, json=False), id="explain"),
        pytest.param(admin.migrate, given(status=True, dry_run=False), id="migrate --status"),
    ],
)
async def test_where_nothing_was_set_up_nothing_is_made(
    tmp_path: Path, command: Any, args: argparse.Namespace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await command(args, Settings(home=tmp_path)) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert f"there is no database in {tmp_path / '.huiyin'} yet" in said
    assert "huiyin migrate" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    ("command", "args"),
    [
        pytest.param(admin.key_list, given(json=False), id="key list"),
        pytest.param(admin.key_create, given(**KEY), id="key create"),
        pytest.param(admin.explain, given(id=MESSAGE, json=False), id="explain"),
    ],
)
async def test_a_database_without_a_schema_is_told_in_a_sentence(
    empty_dsn: str, command: Any, args: argparse.Namespace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await command(args, on(empty_dsn)) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert "the database waits for 0001_core.sql" in said
    assert "run `huiyin migrate` first" in said


@pytest.mark.usefixtures("hasty")
async def test_a_server_that_does_not_answer_is_told_in_a_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert await admin.key_list(given(json=False), on("postgresql://huiyin@127.0.0.1:1/huiyin")) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


async def test_a_wrong_database_is_told_in_a_sentence(dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert await admin.key_list(given(json=False), on(f"{dsn.rpartition('/')[0]}/nowhere")) == 1
    assert capsys.readouterr().err == 'huiyin key list: database "nowhere" does not exist\n'


async def test_a_key_can_be_made_while_the_gateway_is_starting(
    empty_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def start() -> None:
        await asyncio.sleep(0.5)
        await migrations.migrate(empty_dsn)

    made, _ = await asyncio.gather(admin.key_create(given(**KEY), on(empty_dsn)), start())
    assert made == 0
    said = capsys.readouterr()
    assert said.out.startswith("hk_")
    assert said.err.startswith("waiting for the database")


async def test_a_key_can_be_made_beside_data_while_no_gateway_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(home=tmp_path)
    assert await admin.migrate(given(status=False, dry_run=False), settings) == 0
    assert await admin.key_create(given(**KEY), settings) == 0
    capsys.readouterr()
    assert await admin.key_list(given(json=False), settings) == 0
    assert capsys.readouterr().out.endswith("read  crm\n")


@pytest.mark.parametrize("name", ["", "  "])
async def test_a_key_needs_a_name(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert await admin.key_create(given(**KEY | {"name": name}), Settings(home=tmp_path)) == 2
    assert capsys.readouterr().err == "huiyin key create: --name: say who will use the key\n"


@pytest.mark.parametrize(
    ("command", "line"),
    [
        pytest.param(admin.explain, {"id": MESSAGE}, id="of a message"),
        pytest.param(admin.explain, {"id": "msg_1"}, id="of nothing, for a message"),
        pytest.param(admin.key_revoke, {"id": MESSAGE.replace("msg", "key")}, id="of a key"),
        pytest.param(admin.key_revoke, {"id": "7"}, id="of nothing, for a key"),
    ],
)
async def test_an_id_that_nothing_has_is_wrong_use(
    database_dsn: str, command: Any, line: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert await command(given(json=False, **line), on(database_dsn)) == 2
    name = "explain" if command is admin.explain else "key revoke"
    assert capsys.readouterr().err.startswith(f"huiyin {name}: {line['id']}: ")


async def test_the_scopes_that_are_listed_open_something(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wish = KEY | {"scopes": ["foo"]}
    assert await admin.key_create(given(**wish), Settings(home=tmp_path)) == 2
    listed = capsys.readouterr().err.strip().partition("there are ")[2].split(", ")
    asked = {str(route.scope) for route in ROUTES if route.scope is not None}
    assert set(listed) == asked | {"pii:read"}


# --- send ----------------------------------------------------------------------------------------


PLAINLY: dict[str, Any] = {
    "sender": None,
    "language": None,
    "valid_for": None,
    "flash": False,
    "priority": None,
    "deliver_at": None,
    "tlvs": [],
}


async def test_send_says_how_the_message_is_to_be_carried(capsys: pytest.CaptureFixture[str]) -> None:
    bodies: list[dict[str, Any]] = []

    async def take(request: web.Request) -> web.Response:
        bodies.append(await request.json())
        problem = {"title": "Not accepted.", "detail": "Not accepted: it is a test."}
        return web.json_response(problem, status=422)

    app = web.Application()
    app.router.add_post("/v1/messages", take)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        options = ["--text", "a", "--sender", "bank", "--valid-for", "5m", "--flash"]
        options += ["--priority", "2", "--tlv", "0x1403=0a0b"]
        options += ["--deliver-at", "2026-11-22T10:00:00+08:00", "--key", "hk_x", "--url", url]
        args = parser().parse_args(["send", "13905310001", *options])
        assert await admin.send(args, Settings()) == 1
        args = parser().parse_args(["send", "13905310001", "--text", "a", "--key", "hk_x", "--url", url])
        assert await admin.send(args, Settings()) == 1
    finally:
        await runner.cleanup()
    assert bodies == [
        {
            "to": "13905310001",
            "text": "a",
            "sender": "bank",
            "valid_for": "5m",
            "handling": {
                "flash": True,
                "priority": 2,
                "deliver_at": "2026-11-22T10:00:00+08:00",
                "parameters": {"0x1403": "0a0b"},
            },
        },
        {"to": "13905310001", "text": "a"},
    ]
    assert capsys.readouterr().err == "huiyin send: Not accepted: it is a test.\n" * 2


async def sent(url: str) -> int:
    wish: dict[str, Any] = {
        "to": "13905310001",
        "text": "a",
        "template": None,
        "params": [],
        "lane": None,
        "ref": None,
        **PLAINLY,
    }
    return await admin.send(given(**wish, key="hk_x", url=url, json=False), Settings())


@pytest.mark.parametrize(
    ("url", "said"),
    [
        pytest.param(
            "http://127.0.0.1:1", "nothing answers at http://127.0.0.1:1; is `huiyin serve`", id="none"
        ),
        pytest.param("127.0.0.1:8080", "127.0.0.1:8080 is no address; write it as http://", id="no address"),
        pytest.param("http://nowhere.invalid", "the host of http://nowhere.invalid is not known", id="host"),
    ],
)
async def test_send_says_plainly_why_it_reached_nobody(
    url: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await sent(url) == 1
    assert capsys.readouterr().err.startswith(f"huiyin send: {said}")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param(b"", "broke; whether it was sent is not known", id="cut"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "is no Huiyin gateway", id="another"),
        pytest.param(b"SSH-2.0-x\r\n", "broke; whether it was sent is not known", id="no HTTP"),
    ],
)
async def test_send_says_what_else_answered(
    answer: bytes, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        assert await sent(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") == 1
    assert said in capsys.readouterr().err
