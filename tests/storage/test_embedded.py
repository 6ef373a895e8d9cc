"""The embedded server: one at a time on its folder, ends with its process, and finds its data again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from gateway.storage import premises
from gateway.storage.database import connect
from gateway.storage.embedded import DataDirInUse, EmbeddedError, EmbeddedServer, remove

linux_only = pytest.mark.skipif(
    sys.platform != "linux", reason="the parent-death signal and /proc are Linux's"
)
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")

#: A process of its own that starts a server, says its pid and dsn, and waits to be killed.
PARENT = """
import signal, sys
from pathlib import Path
from gateway.storage import embedded
if sys.argv[2] == "orphan":
    embedded.die_with_parent = lambda: None  # as a server that did not get the signal
server = embedded.EmbeddedServer.start(Path(sys.argv[1]), sync=False)
print(server.pid, server.dsn, flush=True)
signal.pause()
"""


def parent(folder: Path, kind: str = "plain") -> tuple[subprocess.Popen[str], int, str]:
    """Start it; gives the process, the server's pid and dsn."""
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(folder), kind], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    pid, dsn = process.stdout.readline().split()
    return process, int(pid), dsn


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


async def run(dsn: str, statement: str) -> object:
    connection = await connect(dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_a_restart_has_the_data_the_password_and_the_port(open_dir: Path) -> None:
    with EmbeddedServer.start(open_dir, sync=False) as first:
        await run(first.dsn, "CREATE TABLE kept AS SELECT 8 AS score")
    with EmbeddedServer.start(open_dir) as second:
        assert second.dsn == first.dsn
        assert await run(second.dsn, "SELECT score FROM kept") == 8


async def test_it_is_utf8_local_and_durable(open_dir: Path) -> None:
    with EmbeddedServer.start(open_dir, sync=False) as server:
        expected = {
            "server_encoding": "UTF8",
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "data_checksums": "on",
            "password_encryption": "scram-sha-256",
            "log_parameter_max_length_on_error": "0",
        }
        for setting, value in expected.items():
            assert (setting, await run(server.dsn, f"SHOW {setting}")) == (setting, value)
        assert await run(server.dsn, "SELECT upper('é回音') || length('回音')") == "É回音2"


async def test_only_the_password_opens_it_and_only_we_can_read_it(open_dir: Path) -> None:
    with EmbeddedServer.start(open_dir, sync=False) as server:
        password = urlsplit(server.dsn).password
        assert password
        assert password == (open_dir / "password").read_text().strip()
        assert stat.S_IMODE((open_dir / "password").stat().st_mode) == 0o600
        with pytest.raises(asyncpg.InvalidPasswordError):
            await connect(server.dsn.replace(password, "wrong"))


async def test_a_lost_password_is_made_anew(open_dir: Path) -> None:
    with EmbeddedServer.start(open_dir, sync=False) as server:
        before = server.dsn
    (open_dir / "password").unlink()
    with EmbeddedServer.start(open_dir) as server:
        assert server.dsn != before
        assert await run(server.dsn, "SELECT 1") == 1


async def test_a_taken_port_is_left_to_its_owner(open_dir: Path) -> None:
    with EmbeddedServer.start(open_dir, sync=False) as server:
        first = server.port
    with socket.create_server(("127.0.0.1", first)) as owner:
        with EmbeddedServer.start(open_dir) as server:
            assert server.port != first
            assert await run(server.dsn, "SELECT 1") == 1
        with pytest.raises(EmbeddedError, match=f"port {first} is taken"):
            EmbeddedServer.start(open_dir, port=first)
        owner.close()
    with EmbeddedServer.start(open_dir, port=first) as server:
        assert server.port == first


def test_a_second_gateway_is_told_who_is_there(open_dir: Path) -> None:
    with EmbeddedServer.start(open_dir, sync=False):
        with pytest.raises(DataDirInUse, match=rf"in use by another gateway \(process {os.getpid()}\)"):
            EmbeddedServer.start(open_dir)
        with pytest.raises(DataDirInUse):
            remove(open_dir)
    EmbeddedServer.start(open_dir).stop()


def test_stop_ends_it_and_twice_is_once(open_dir: Path) -> None:
    server = EmbeddedServer.start(open_dir, sync=False)
    pid = server.pid
    assert pid is not None
    assert server.running
    assert os.getsid(pid) == pid, "Ctrl-C in the terminal must not reach the server before us"
    server.stop()
    server.stop()
    assert not server.running
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_server_that_ended_by_itself_is_started_again(open_dir: Path) -> None:
    with EmbeddedServer.start(open_dir, sync=False) as server:
        assert server.pid is not None
        await run(server.dsn, "CREATE TABLE kept AS SELECT 8 AS score")
        os.kill(server.pid, signal.SIGKILL)
        while server.running:
            time.sleep(0.01)
        dsn = server.dsn
        server.restart()
        assert server.dsn == dsn
        assert await run(dsn, "SELECT score FROM kept") == 8


@linux_only
async def test_a_killed_parent_takes_the_server_along_and_the_next_recovers(open_dir: Path) -> None:
    process, pid, dsn = parent(open_dir)
    await run(dsn, "CREATE TABLE kept AS SELECT 8 AS score")
    kill(process)
    while alive(pid):
        time.sleep(0.01)
    with EmbeddedServer.start(open_dir) as server:
        assert await run(server.dsn, "SELECT score FROM kept") == 8


@linux_only
def test_the_next_start_does_not_wait_for_the_dying_server_to_be_gone(open_dir: Path) -> None:
    process, pid, _ = parent(open_dir)
    kill(process)
    with EmbeddedServer.start(open_dir) as server:
        assert server.pid != pid
        assert not alive(pid)


@linux_only
async def test_a_stray_server_is_stopped(open_dir: Path) -> None:
    process, pid, dsn = parent(open_dir, "orphan")
    kill(process)
    assert await run(dsn, "SELECT 1") == 1, "the stray one must have outlived its parent"
    with EmbeddedServer.start(open_dir) as server:
        assert not alive(pid)
        assert server.pid != pid
        assert await run(server.dsn, "SELECT 1") == 1


@linux_only
def test_another_process_with_the_pid_of_the_file_is_left_alone(open_dir: Path) -> None:
    with EmbeddedServer.start(open_dir, sync=False) as server:
        cluster = server.cluster
        owner = cluster.stat()
        lines = (cluster / "postmaster.pid").read_text().splitlines()
    # The same user, as the one that PostgreSQL itself would take for a server of this folder.
    with subprocess.Popen(
        ["sleep", "600"], user=owner.st_uid if os.geteuid() == 0 else None, cwd="/"
    ) as bystander:
        (cluster / "postmaster.pid").write_text("\n".join([str(bystander.pid), *lines[1:]]) + "\n")
        os.chown(cluster / "postmaster.pid", owner.st_uid, owner.st_gid)
        with EmbeddedServer.start(open_dir):
            assert bystander.poll() is None
        bystander.kill()


async def test_an_initialisation_that_was_cut_off_is_done_again(open_dir: Path) -> None:
    (open_dir / "home" / "cluster.new").mkdir(parents=True)
    (open_dir / "home").chmod(0o711)
    (open_dir / "home" / "cluster.new" / "PG_VERSION").write_text("18\n")
    (open_dir / "password").write_text("of the first try\n")
    with EmbeddedServer.start(open_dir, sync=False) as server:
        assert await run(server.dsn, "SELECT 1") == 1


def test_only_a_data_folder_of_ours_is_removed(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(EmbeddedError, match="is not a data folder"):
        remove(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    remove(tmp_path / "never made")


@linux_only
async def test_removing_stops_a_stray_server_first(open_dir: Path) -> None:
    process, pid, _ = parent(open_dir, "orphan")
    kill(process)
    assert alive(pid)
    remove(open_dir)
    assert not alive(pid)
    assert not open_dir.exists()


def test_a_folder_that_can_not_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedError, match=r"the embedded PostgreSQL can't use .*file"):
        EmbeddedServer.start(tmp_path / "file" / "data")


def test_a_cluster_of_another_release_is_told(open_dir: Path) -> None:
    with EmbeddedServer.start(open_dir, sync=False) as server:
        version = server.cluster / "PG_VERSION"
    version.write_text("17\n")
    with pytest.raises(EmbeddedError, match="was written by PostgreSQL 17 and this is 18"):
        EmbeddedServer.start(open_dir)


def test_a_fault_in_the_settings_is_told_in_the_servers_words(open_dir: Path) -> None:
    with EmbeddedServer.start(open_dir, sync=False) as server:
        cluster = server.cluster
    with open(cluster / "postgresql.auto.conf", "a") as file:
        file.write("shared_buffers = 'plenty'\n")
    with pytest.raises(EmbeddedError, match=r"did not start: .*shared_buffers"):
        EmbeddedServer.start(open_dir)


def test_a_missing_package_is_told(open_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(premises, "PACKAGE", "no_such_package")
    with pytest.raises(
        EmbeddedError, match=r"no_such_package is not installed: install it, or set database\.dsn"
    ):
        EmbeddedServer.start(open_dir)


def test_the_package_is_not_imported(open_dir: Path) -> None:
    with EmbeddedServer.start(open_dir, sync=False):
        assert premises.PACKAGE not in sys.modules


def test_another_thread_may_not_start_it(open_dir: Path) -> None:
    caught: list[BaseException] = []

    def attempt() -> None:
        try:
            EmbeddedServer.start(open_dir).stop()
        except RuntimeError as error:
            caught.append(error)

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
    assert [str(error) for error in caught] == [
        "the embedded PostgreSQL must be started from the main thread"
    ]


@root_only
async def test_a_closed_folder_has_its_cluster_elsewhere(
    tmp_path: Path, open_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(premises, "HOMES_ELSEWHERE", (open_dir / "elsewhere",))
    closed = tmp_path / "data"
    for _ in ("made", "found again"):
        with EmbeddedServer.start(closed, sync=False) as server:
            assert server.cluster.is_relative_to(open_dir)
            assert await run(server.dsn, "SELECT 1") == 1
    assert len(list((open_dir / "elsewhere").iterdir())) == 1
    remove(closed)
    assert not closed.exists()
    assert not (open_dir / "elsewhere").exists()


@root_only
async def test_a_closed_package_is_copied(
    tmp_path: Path, open_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = find_spec(premises.PACKAGE)
    assert spec is not None
    assert spec.submodule_search_locations
    package = Path(spec.submodule_search_locations[0])
    shutil.copytree(
        package, tmp_path / package.name, ignore=shutil.ignore_patterns("pginstall", "include", "*.a")
    )
    if (libraries := package.with_name(f"{package.name}.libs")).exists():
        shutil.copytree(libraries, tmp_path / libraries.name)
    spec.submodule_search_locations[:] = [str(tmp_path / package.name)]
    monkeypatch.setattr(premises, "find_spec", lambda _: spec)
    with EmbeddedServer.start(open_dir, sync=False) as server:
        assert await run(server.dsn, "SELECT 1") == 1
        assert Path(f"/proc/{server.pid}/exe").resolve().is_relative_to(open_dir)


@root_only
async def test_root_becomes_a_user_without_privileges(open_dir: Path) -> None:
    with EmbeddedServer.start(open_dir, sync=False) as server:
        status = Path(f"/proc/{server.pid}/status").read_text()
        ids = dict(
            line.split(":\t", 1) for line in status.splitlines() if line.startswith(("Uid", "Gid", "Groups"))
        )
        assert "0" not in (ids["Uid"] + " " + ids["Gid"]).split()
        assert ids["Groups"].split() == []
        assert server.cluster.stat().st_uid == int(ids["Uid"].split()[0])
        assert stat.S_IMODE(server.cluster.stat().st_mode) == 0o700
