"""The embedded PostgreSQL: a server of our own beside the gateway, for demos, tests and small installations.

The launcher owns one data folder, starts the packaged binaries on 127.0.0.1 under an unprivileged user, and
sees to it that the server ends with the process that started it. It blocks: call it before the loop starts.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Final, Self

from gateway.storage.postmaster import (
    POLL_SECONDS,
    STOP_SECONDS,
    die_with_parent,
    free_port,
    is_free,
    postmaster_lines,
    stop_stray,
)
from gateway.storage.premises import (
    MAJOR,
    Account,
    DataDirInUse,
    EmbeddedError,
    account_for,
    binaries_for,
    hold,
    home_for,
    make_folder,
)

__all__ = ["DataDirInUse", "EmbeddedError", "EmbeddedServer", "remove"]

DATABASE: Final = "huiyin"
ROLE: Final = "huiyin"
START_SECONDS: Final = 600.0  # recovery after a crash replays up to max_wal_size

# Written anew at each start; what is changed with ALTER SYSTEM stands in postgresql.auto.conf and wins.
SETTINGS: Final = """\
# Written by huiyin at each start. To change a setting: ALTER SYSTEM SET …
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 60
password_encryption = 'scram-sha-256'

# Accepted means committed: these four are what the promise stands on.
fsync = on
synchronous_commit = on
full_page_writes = on
wal_level = replica

# Many small commits, few readers. Checkpoints are rare, so that full pages seldom go to the log.
shared_buffers = 256MB
wal_buffers = 16MB
max_wal_size = 4GB
min_wal_size = 256MB
checkpoint_timeout = 15min
checkpoint_completion_target = 0.9
wal_compression = on
jit = off
max_parallel_workers_per_gather = 0
random_page_cost = 1.1
max_wal_senders = 4

# Queue tables turn over quickly: clean them early, in small steps.
autovacuum_naptime = 20s
autovacuum_vacuum_scale_factor = 0.05
autovacuum_vacuum_insert_scale_factor = 0.1
autovacuum_analyze_scale_factor = 0.05
autovacuum_vacuum_cost_limit = 1000

# A vanished client must not hold locks for hours.
tcp_keepalives_idle = 30
tcp_keepalives_interval = 10
tcp_keepalives_count = 3
idle_in_transaction_session_timeout = 60s

# A week of files, each day overwritten. Terse and without parameters: numbers and texts stay out of logs.
logging_collector = on
log_directory = 'log'
log_filename = 'postgresql-%a.log'
log_rotation_age = 1d
log_rotation_size = 0
log_truncate_on_rotation = on
log_line_prefix = '%m [%p] %a '
log_min_messages = warning
log_min_duration_statement = 2s
log_error_verbosity = terse
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
log_checkpoints = off
lc_messages = 'C'
timezone = 'UTC'
log_timezone = 'UTC'
datestyle = 'iso'
"""

HBA: Final = f"host all {ROLE} 127.0.0.1/32 scram-sha-256\n"


class EmbeddedServer:
    """A running PostgreSQL on a data folder of ours. Stops at the end of `with`, and with our process."""

    def __init__(self, data_dir: Path, lock: int, account: Account, home: Path) -> None:
        self.data_dir = data_dir
        self.cluster = home / "cluster"
        self.port = 0
        self._home = home
        self._lock = lock
        self._account = account
        self._binaries = binaries_for(home, account)
        self._password = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._logged: dict[Path, int] = {}

    @classmethod
    def start(cls, data_dir: Path, *, port: int | None = None, sync: bool = True) -> Self:
        """Start the server on `data_dir`, made if missing; on `port`, or the last one again, or any free one.

        `sync=False` skips flushing the freshly made cluster, for throwaway ones. Raises `DataDirInUse` or
        `EmbeddedError`, whose message is for people.
        """
        if threading.current_thread() is not threading.main_thread():
            # The parent-death signal comes when the *thread* that forked ends.
            raise RuntimeError("the embedded PostgreSQL must be started from the main thread")
        try:
            make_folder(data_dir)
            data_dir = data_dir.resolve()
            lock = hold(data_dir / "lock")
            try:
                account = account_for(data_dir)
                server = cls(data_dir, lock, account, home_for(data_dir, account))
                stop_stray(server.cluster)
                server._prepare(sync=sync)
                server._launch(port)
            except BaseException:
                os.close(lock)
                raise
        except OSError as error:
            raise EmbeddedError(f"the embedded PostgreSQL can't use {data_dir}: {error}") from error
        return server

    @property
    def dsn(self) -> str:
        """How to reach it. Holds the password: never to be logged."""
        return f"postgresql://{ROLE}:{self._password}@127.0.0.1:{self.port}/{DATABASE}?sslmode=disable"

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The postmaster's process id while there is one."""
        return self._process.pid if self._process is not None else None

    def restart(self) -> None:
        """Start it again on the same port after it ended by itself (a full WAL disk), or stop it first."""
        self._halt()
        stop_stray(self.cluster)
        self._launch(self.port)

    def stop(self) -> None:
        """End it: connections are cut, a checkpoint is written, the folder is free. Twice is once."""
        self._halt()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _prepare(self, *, sync: bool) -> None:
        """Make the cluster if there is none, and write its settings and the password."""
        password_file = self.data_dir / "password"
        new = not self.cluster.exists()
        target = self._home / "cluster.new" if new else self.cluster
        if new:
            self._initialise(target, sync=sync)
        version = (target / "PG_VERSION").read_text().strip()
        if version != MAJOR:
            raise EmbeddedError(
                f"{target} was written by PostgreSQL {version} and this is {MAJOR}: "
                "dump it with the old release, or move the folder away"
            )
        self._write(target / "postgresql.conf", SETTINGS)
        self._write(target / "pg_hba.conf", HBA)
        statements = [f"CREATE DATABASE {DATABASE}"] if new else []
        if password_file.exists() and not new:
            self._password = password_file.read_text().strip()
        else:
            self._password = secrets.token_urlsafe(24)
            _write_secret(password_file, self._password)
            statements.append(f"ALTER ROLE {ROLE} PASSWORD '{self._password}'")
        if statements:
            self._single_user(target, statements, sync=sync)
        if new:
            target.rename(self.cluster)

    def _initialise(self, target: Path, *, sync: bool) -> None:
        if target.exists():
            shutil.rmtree(target)  # left by an initialisation that was cut off
        target.mkdir(mode=0o700)
        self._account.own(target)
        arguments = ["initdb", "--pgdata", str(target), "--username", ROLE, "--encoding", "UTF8"]
        arguments += ["--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
        # The access file that initdb writes is replaced by ours before anything listens.
        arguments += ["--auth", "trust", "--text-search-config", "simple", "--no-instructions"]
        if not sync:
            arguments.append("--no-sync")
        done = self._run(arguments)
        if done.returncode != 0:
            raise EmbeddedError(f"initdb failed: {_tail(done.stderr)}")

    def _single_user(self, target: Path, statements: list[str], *, sync: bool) -> None:
        """Run statements while nothing listens: the password passes through a pipe, not through a file."""
        arguments = ["postgres", "--single", "-D", str(target), "-c", "logging_collector=off"]
        if not sync:
            arguments += ["-c", "fsync=off"]
        script = "".join(f"{statement};\n" for statement in statements)
        done = self._run([*arguments, "postgres"], script)
        # Single-user mode goes on after an error and ends with status 0.
        if done.returncode != 0 or b"ERROR:" in done.stderr:
            raise EmbeddedError(f"the new cluster can't be set up: {_tail(done.stderr)}")

    def _run(self, arguments: list[str], script: str = "") -> subprocess.CompletedProcess[bytes]:
        """Run one of the binaries to its end, as the account, with `script` on its standard input."""
        return subprocess.run(  # noqa: S603 - our own binary and arguments
            [str(self._binaries / arguments[0]), *arguments[1:]],
            input=script.encode(),
            capture_output=True,
            check=False,
            env=_environment(),
            cwd=self._home,
            user=self._account.uid,
            group=self._account.gid,
            extra_groups=_no_groups(self._account),
        )

    def _write(self, path: Path, text: str) -> None:
        path.write_text(text)
        path.chmod(0o600)
        self._account.own(path)

    def _launch(self, port: int | None) -> None:
        """Start the postmaster and wait for it; on another port when ours was taken meanwhile."""
        remembered = self.data_dir / "port"
        candidates = [port] if port else [_remembered_port(remembered), 0, 0, 0]
        for candidate in candidates:
            self.port = candidate if candidate and port else free_port(candidate or 0)
            self._process = self._spawn(self.port)
            if self._wait_until_ready():
                remembered.write_text(f"{self.port}\n")
                return
            if port or is_free(self.port):
                break
        taken = "" if is_free(self.port) else f"port {self.port} is taken; "
        raise EmbeddedError(f"the embedded PostgreSQL did not start: {taken}{self._last_words()}")

    def _spawn(self, port: int) -> subprocess.Popen[bytes]:
        self._logged = _sizes(self.cluster / "log")
        with open(self.data_dir / "start.log", "wb") as output:
            return subprocess.Popen(  # noqa: S603 - our own binary and arguments
                [str(self._binaries / "postgres"), "-D", str(self.cluster), "-p", str(port)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=_environment(),
                cwd=self._home,
                user=self._account.uid,
                group=self._account.gid,
                extra_groups=_no_groups(self._account),
                # A session of its own: Ctrl-C in the terminal is for us, we stop the server when we are done.
                start_new_session=True,
                # Runs after setuid, which would clear the parent-death signal.
                preexec_fn=die_with_parent(),  # noqa: PLW1509 - one prctl, and no other thread forks here
            )

    def _wait_until_ready(self) -> bool:
        process = self._process
        assert process is not None  # noqa: S101 - for the type checker
        deadline = time.monotonic() + START_SECONDS
        try:
            while process.poll() is None:
                lines = postmaster_lines(self.cluster)
                if len(lines) >= 8 and lines[0] == str(process.pid) and lines[7].strip() == "ready":
                    return True
                if time.monotonic() > deadline:
                    raise EmbeddedError(f"the embedded PostgreSQL is not ready after {START_SECONDS:.0f} s")
                time.sleep(POLL_SECONDS)
        except BaseException:
            self._halt()
            raise
        return False

    def _last_words(self) -> str:
        """What the server said since it was spawned: before its log was open, and in it."""
        said = (self.data_dir / "start.log").read_bytes()
        for log, size in _sizes(self.cluster / "log").items():
            said += log.read_bytes()[self._logged.get(log, 0) : size]
        return _tail(said)

    def _halt(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for sign, patience in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, 10.0), (signal.SIGKILL, None)):
            if process.poll() is None:
                process.send_signal(sign)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(patience)
                return


def dsn_of(data_dir: Path) -> str:
    """How to reach the server that another process of ours runs on this folder. Raises `EmbeddedError`."""
    try:
        password = (data_dir / "password").read_text().strip()
        port = int((data_dir / "port").read_text())
    except (OSError, ValueError) as error:
        raise EmbeddedError(f"no embedded PostgreSQL can be found in {data_dir}: {error}") from error
    return f"postgresql://{ROLE}:{password}@127.0.0.1:{port}/{DATABASE}?sslmode=disable"


def remove(data_dir: Path) -> None:
    """Delete a data folder and what lies elsewhere for it. Raises `DataDirInUse`, `EmbeddedError`."""
    if not data_dir.exists():
        return
    data_dir = data_dir.resolve()
    if not (data_dir / "lock").exists() and any(data_dir.iterdir()):
        raise EmbeddedError(f"{data_dir} is not a data folder of the embedded PostgreSQL")
    lock = hold(data_dir / "lock")
    try:
        link = data_dir / "home"
        home = link.resolve()
        stop_stray(home / "cluster")
        if link.is_symlink():
            shutil.rmtree(home, ignore_errors=True)
            with contextlib.suppress(OSError):  # other clusters may lie there
                home.parent.rmdir()
        shutil.rmtree(data_dir)
    finally:
        os.close(lock)


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "TZ": "UTC", "LC_ALL": "C"}


def _no_groups(account: Account) -> list[int] | None:
    return [] if account.uid is not None else None


def _remembered_port(path: Path) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return 0


def _write_secret(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())


def _sizes(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_size for path in sorted(folder.glob("*.log"))}


def _tail(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    return " / ".join(lines[-4:]) or "it said nothing"
