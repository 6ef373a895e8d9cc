"""A gateway under load: embedded PostgreSQL, `serve` and the SMSC, each a process, in a new folder."""

import asyncio
import http.client
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import asyncpg

from bench.child import Child
from bench.machine import Meter, cpu_seconds, resident
from gateway.storage.embedded import EmbeddedServer, dsn_of, remove

T = TypeVar("T")

READY_SECONDS: Final = 60.0
POLL: Final = 0.02
SCOPES: Final = "messages:write,tickets:write,read"

CONFIGURATION: Final = """
[database]
folder = "data"
[http]
listen = "127.0.0.1:{http}"
[smsc.main]
host = "{host}"
port = {port}
system_id = "bench"
password = "bench"
allow_plaintext = true
binds = {binds}
[senders.default]
number = "10086"
extensions = 3
[log]
level = "warning"
"""

BACKUP: Final = """
[smsc.backup]
host = "127.0.0.1"
port = {port}
system_id = "bench"
password = "bench"
allow_plaintext = true
binds = {binds}
[[routing]]
to = ["main"]
backup = ["backup"]
[delivery]
unknown_wait = "3s"
"""

CONNECTOR: Final = """
[security]
allow_targets = ["127.0.0.0/8"]
[connectors."ticket.satisfaction"]
method = "PATCH"
url = "http://127.0.0.1:{tickets}/tickets/{{{{ ticket.id }}}}"
concurrency = 64
"""


class LossError(Exception):
    """Something was lost, or came twice: the figure would be worthless."""


class Stand:
    """All that a figure needs. `with Stand() as stand:`; at the end nothing of it is left."""

    def __init__(
        self,
        *,
        smsc: tuple[str, int] | None = None,
        tickets: bool = False,
        binds: int = 2,
        backup: bool = False,
        behaviour: dict[str, Any] | None = None,
    ) -> None:
        """`smsc`: somebody else's; `backup`: with a second one; `behaviour`: of ours, from the start."""
        self._stack = ExitStack()
        self._binds = binds
        self._wants_backup = backup
        self._behaviour = behaviour or {}
        self._external = smsc
        self._wants_tickets = tickets
        self.ready_seconds = 0.0  #: from the start of `serve` to /readyz, with initdb and migrations
        self.port = 0
        self.key = ""
        self.smsc: Child | None = None
        self.backup: Child | None = None
        self.tickets: Child | None = None

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self._last_words()
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._last_words()
        self._stack.close()

    def _last_words(self) -> None:
        if self._log.exists() and (told := self._log.read_text("utf-8", "replace")[-4000:]):
            print(f"--- the gateway's last words\n{told}---", file=sys.stderr)

    def _open(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="huiyin-bench-"))
        self._folder.chmod(0o711)  # PostgreSQL may have to run as somebody else
        self._log = self._folder / "log"
        self._stack.callback(shutil.rmtree, self._folder, ignore_errors=True)
        self._stack.callback(remove, self._folder / "data")
        if self._external is None:
            self.smsc = self._centre()
            host, port = "127.0.0.1", self.smsc.ask(do="port")["port"]
        else:
            host, port = self._external
        self.smsc_address = (host, port)
        self.port = free_port()
        text = CONFIGURATION.format(http=self.port, host=host, port=port, binds=self._binds)
        if self._wants_backup:
            self.backup = self._centre()
            text += BACKUP.format(port=self.backup.ask(do="port")["port"], binds=self._binds)
        if self._wants_tickets:
            self.tickets = self._stack.enter_context(Child("bench.tickets"))
            text += CONNECTOR.format(tickets=self.tickets.ask(do="port")["port"])
        (self._folder / "huiyin.toml").write_text(text)
        self.start()
        self._stack.callback(self.stop)
        self.key = self._make_key()
        while self._get("/v1/messages?limit=1") != 200:  # keys are read again once a second
            time.sleep(POLL)
        self.load = self._stack.enter_context(Child("bench.load"))

    def _centre(self) -> Child:
        centre = self._stack.enter_context(Child("bench.centre"))
        if self._behaviour:
            centre.ask(do="change", changes=self._behaviour)
        return centre

    # The gateway

    def start(self) -> float:
        """Start it and wait until it can work; answers with the seconds that this took."""
        started = time.monotonic()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                [*self._command(), "serve"], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        while not self._is_ready():
            if self._process.poll() is not None:
                raise RuntimeError(f"serve ended with {self._process.returncode}")
            if time.monotonic() - started > READY_SECONDS:
                self.stop()
                raise TimeoutError(f"serve is not ready after {READY_SECONDS:.0f} s")
            time.sleep(POLL)
        self.ready_seconds = time.monotonic() - started
        return self.ready_seconds

    def stop(self) -> None:
        """As an operator would."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "gateway", "--config", str(self._folder / "huiyin.toml")]

    def _is_ready(self) -> bool:
        return self._get("/readyz") == 200

    def _get(self, path: str) -> int:
        """The status of an answer; 0: there is none."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {self.key}"})
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()

    def _make_key(self) -> str:
        words = [sys.executable, "-m", "gateway", "--config", str(self._folder / "huiyin.toml")]
        words += ["key", "create", "--name", "bench", "--scopes", SCOPES, "--json"]
        made = subprocess.run(words, check=True, capture_output=True)  # noqa: S603 - our own command
        key: str = json.loads(made.stdout)["key"]
        return key

    @property
    def pid(self) -> int:
        return self._process.pid

    def memory(self) -> int:
        """Octets that the gateway holds."""
        return resident(self.pid)

    # What is measured

    def meter(self) -> Meter:
        """CPU by process from now on."""
        pids = {"gateway": self.pid, "postgres": self._postmaster(), "load": self.load.pid}
        if self.smsc is not None:
            pids["smsc"] = self.smsc.pid
        if self.tickets is not None:
            pids["tickets"] = self.tickets.pid
        return Meter(pids)

    def _postmaster(self) -> int:
        return int(next((self._folder / "data").rglob("postmaster.pid")).read_text().split()[0])

    def database(self, work: Callable[[asyncpg.Connection], Any]) -> Any:
        """Do something with a connection to the gateway's database."""

        return asyncio.run(_with_connection(dsn_of(self._folder / "data"), work))

    def database_alone(self, work: Callable[[asyncpg.Connection], Any]) -> Any:
        """The same while the gateway is stopped."""
        with EmbeddedServer.start(self._folder / "data") as server:
            return asyncio.run(_with_connection(server.dsn, work))

    def count(self, query: str) -> int:
        """One number from the database."""
        return int(self.database(lambda connection: connection.fetchval(query)))

    def send(self, **job: Any) -> dict[str, Any]:
        """Have the load generator do a job; raises `LossError` if anything was refused."""
        self.begin(**job)
        return self.sent(job["count"])

    def begin(self, **job: Any) -> None:
        """Give it the job and go on; `sent` waits for its end."""
        self.load.tell(port=self.port, key=self.key, **job)

    def sent(self, count: int) -> dict[str, Any]:
        """The job is done. Raises `LossError` if anything was refused."""
        answer = self.load.answer()
        if answer["refused"] or answer["accepted"] != count:
            raise LossError(f"{answer['accepted']} of {count} accepted; {answer['refused']}")
        return answer

    def wait_for(self, what: str, reached: Callable[[], int], wanted: int, patience: float = 90.0) -> float:
        """Wait until a count is reached, and no more; answers with the moment. Raises `LossError`."""
        deadline = time.monotonic() + patience
        while (now := reached()) < wanted:
            if time.monotonic() > deadline:
                raise LossError(f"{what}: {now} of {wanted} after {patience:.0f} s")
            time.sleep(POLL)
        moment = time.monotonic()
        if now > wanted:
            raise LossError(f"{what}: {now}, but only {wanted} were sent")
        return moment

    def receipts(self) -> int:
        """Receipts that the gateway has answered, which it does after their commit."""
        if self.smsc is None:
            return self.delivered()
        return int(self.smsc.ask(do="counts")["receipts_taken"])

    def check(self, count: int) -> None:
        """Each of so many messages was stored, given to the SMSC and delivered once, or `LossError`."""
        counts = {
            "stored": self.count("SELECT count(*) FROM messages"),
            # An attempt that a link gave back unwritten was none.
            "attempted": self.count("SELECT count(*) FROM steps WHERE kind = 'attempt'")
            - self.count("SELECT count(*) FROM steps WHERE kind = 'returned'"),
            "submitted": self.count("SELECT count(DISTINCT message_id) FROM steps WHERE kind = 'submitted'"),
            "delivered": self.delivered(),
        }
        if self.smsc is not None:
            counts["taken by the SMSC"] = int(self.smsc.ask(do="counts")["taken"])
        wrong = {what: found for what, found in counts.items() if found != count}
        if wrong:
            raise LossError(f"of {count} messages: {wrong}")

    def delivered(self) -> int:
        """Messages whose receipt is in the database."""
        return self.count("SELECT count(*) FROM steps WHERE kind = 'delivered'")

    def taken(self) -> int:
        """Messages that the SMSC has taken."""
        return 0 if self.smsc is None else int(self.smsc.ask(do="counts")["taken"])

    def wait_for_some(self, wanted: int, patience: float = 60.0) -> float:
        """Wait until the SMSC has taken so many or more; answers with the moment. Raises `LossError`."""
        deadline = time.monotonic() + patience
        while self.taken() < wanted:
            if time.monotonic() > deadline:
                raise LossError(f"the SMSC has not taken {wanted} after {patience:.0f} s")
            time.sleep(POLL)
        return time.monotonic()

    def paces(self) -> list[list[float]]:
        """What the SMSC had taken and refused as too fast, ten times a second."""
        return [] if self.smsc is None else list(self.smsc.ask(do="paces")["paces"])

    def busy(self) -> float:
        """CPU seconds of the gateway so far."""
        return cpu_seconds(self.pid)


async def _with_connection(dsn: str, work: Callable[[asyncpg.Connection], Any]) -> Any:
    connection = await asyncpg.connect(dsn)
    try:
        return await work(connection)
    finally:
        await connection.close()


def free_port() -> int:
    """A port that nobody listens on."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
