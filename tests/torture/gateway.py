"""The gateway as a process: configured, started, killed without mercy, started again on the same data."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp

from gateway.storage.postmaster import free_port, postmaster_lines

ROOT: Final = Path(__file__).resolve().parents[2]
SCOPES: Final = "messages:write,tickets:write,contacts:write,read,pii:read,admin"
READY_SECONDS: Final = 60.0
STOP_SECONDS: Final = 60.0

CONFIG: Final = """\
[database]
dsn = "embedded"
folder = "data"

[http]
listen = "127.0.0.1:{http}"

[smsc.main]
host = "127.0.0.1"
port = {smsc}
system_id = "huiyin"
password = "huiyin"
{more_smsc}window = {window}

[senders.default]
number = "10086"
extensions = 2

[security]
allow_targets = ["127.0.0.0/8"]

[delivery]
unknown_wait = "{unknown_wait}"
response_timeout = "{response_timeout}"
{more_delivery}
[connectors."ticket.satisfaction"]
url = "http://127.0.0.1:{tickets}/tickets/{{{{ ticket.id }}}}/satisfaction"
timeout = "2s"
first_pause = "100ms"
longest_pause = "500ms"
breaker_pause = "500ms"

[node]
name = "torture"

[log]
level = "warning"
{sections}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a run's configuration says besides. Lines of TOML, each with its end."""

    window: int = 100
    smsc: str = ""  #: of [smsc.main]
    tls: str = "allow_plaintext = true\n"  #: of [smsc.main] too
    delivery: str = ""  #: of [delivery]
    sections: str = ""  #: after all others
    profiles: Mapping[str, str] = field(default_factory=dict)  #: rules/smsc/NAME.yaml, and what stands in it


USUAL: Final = Setup()


class GatewayDied(Exception):  # noqa: N818 - what happened
    """The gateway ended by itself, never came up, or would be there twice."""


class Gateway:
    """The process. `module` is what runs: the gateway itself, or the wrapper that breaks it on purpose."""

    def __init__(
        self, folder: Path, *, smsc: int, tickets: int, other: int = 0, setup: Setup = USUAL
    ) -> None:
        """Ports of SMSC, ticket system and of a second SMSC, which is OTHER in the setup's sections."""
        self.folder = folder
        self.port = free_port(0)
        self.base = f"http://127.0.0.1:{self.port}"
        self.key = ""
        self.started_at = 0.0
        self.starts = 0
        self.log = folder / "gateway.log"
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "huiyin.toml").write_text(
            CONFIG.format(
                http=self.port,
                smsc=smsc,
                tickets=tickets,
                window=setup.window,
                more_smsc=setup.tls + setup.smsc,
                more_delivery=setup.delivery,
                sections=setup.sections.replace("OTHER", str(other)),
                unknown_wait="500ms",
                response_timeout="1500ms",
            )
        )
        for name, text in setup.profiles.items():
            path = folder / "rules" / "smsc" / f"{name}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def prepare(self, like: "Gateway | None" = None) -> None:
        """Make the database and a key, or take over what another one, stopped now, was given."""
        if like is not None:
            shutil.copytree(like.folder / "data", self.folder / "data", symlinks=True)
            for path in (like.folder / "data").rglob("*"):
                status = path.lstat()
                copy = self.folder / "data" / path.relative_to(like.folder / "data")
                os.chown(copy, status.st_uid, status.st_gid, follow_symlinks=False)
            (self.folder / "data" / "port").unlink(missing_ok=True)
            self.key = like.key
            return
        for command in (["migrate"], ["key", "create", "--name", "torture", "--scopes", SCOPES]):
            done = subprocess.run(
                [*self._command("gateway"), *command], cwd=ROOT, capture_output=True, text=True, check=False
            )
            if done.returncode != 0:
                raise GatewayDied(f"{command[0]}: {done.stderr[-2000:]}")
        self.key = done.stdout.strip()

    def start(self, trick: str = "") -> None:
        """Start it. With a trick the wrapper runs it, which knows how to die or be wrong on purpose."""
        if self.running:
            raise GatewayDied("there is one already: end it first")
        self.starts += 1
        self.started_at = time.monotonic()
        environ = dict(os.environ)
        environ.pop("HUIYIN_TORTURE", None)
        if trick:
            environ["HUIYIN_TORTURE"] = trick
        with self.log.open("ab") as log:
            log.write(f"--- start {self.starts} {trick}\n".encode())
            self._process = subprocess.Popen(
                [*self._command("tests.torture.broken" if trick else "gateway"), "serve"],
                cwd=ROOT,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid if self._process is not None else 0

    async def ready(self, session: aiohttp.ClientSession, seconds: float = READY_SECONDS) -> bool:
        """Wait until it answers; False: it died first."""
        deadline = time.monotonic() + seconds
        while self.running:
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                async with session.get(f"{self.base}/healthz") as answer:
                    if answer.status == 200:
                        return True
            if time.monotonic() > deadline:
                raise GatewayDied(f"not ready after {seconds:.0f} s: {self.last_words()}")
            await asyncio.sleep(0.02)
        return False

    def kill(self, *, database_too: bool = False) -> None:
        """SIGKILL to its process group; PostgreSQL ends with it, by the kernel's word or by ours."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        if database_too:
            self.kill_database()
        self._process.wait()

    def kill_database(self) -> None:
        """SIGKILL to the postmaster and all its backends: recovery from the log is what is left."""
        postmaster = self.postmaster()
        if not postmaster:
            return
        for pid in (postmaster, *children_of(postmaster)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def postmaster(self) -> int:
        """The postmaster's process id, or 0."""
        cluster = (self.folder / "data" / "home").resolve() / "cluster"
        lines = postmaster_lines(cluster)
        if not lines or not lines[0].isdigit():
            return 0
        pid = int(lines[0])
        try:
            name = Path(f"/proc/{pid}/comm").read_text().strip()
            return pid if name == "postgres" and os.readlink(f"/proc/{pid}/cwd") == str(cluster) else 0
        except OSError:
            return 0

    async def stop(self) -> int:
        """SIGTERM, as an operator would; the exit status."""
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGTERM)
        return await self.wait(STOP_SECONDS)

    async def wait(self, seconds: float) -> int:
        """Wait for its end. Raises `TimeoutError`."""
        process = self._process
        if process is None:
            return 0
        async with asyncio.timeout(seconds):
            while process.poll() is None:
                await asyncio.sleep(0.01)
        return int(process.returncode)

    def last_words(self) -> str:
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""

    def _command(self, module: str) -> list[str]:
        return [sys.executable, "-m", module, "--config", str(self.folder / "huiyin.toml")]


def children_of(pid: int) -> list[int]:
    """The processes that a process started."""
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
