"""The embedded PostgreSQL's processes and port: what an earlier run left, and how ours dies with us."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from gateway.storage.premises import EmbeddedError

STOP_SECONDS: Final = 60.0  # a fast shutdown writes one checkpoint
POLL_SECONDS: Final = 0.01
PR_SET_PDEATHSIG: Final = 1


def stop_stray(cluster: Path) -> None:
    """Stop a server that a killed run left on this cluster, and remove its pid file."""
    lines = postmaster_lines(cluster)
    pid = int(lines[0]) if lines and lines[0].isdigit() else 0
    if pid and _works_in(pid, cluster):
        for sign, patience in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, 10.0)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
            if _wait_until(lambda: not _works_in(pid, cluster), patience):
                break
        else:
            raise EmbeddedError(f"a PostgreSQL of an earlier run (process {pid}) does not end")
    # Its backends end a moment after a postmaster that was killed. A new one must not start beside them.
    if lines and not _wait_until(lambda: not _all_in(cluster), STOP_SECONDS):
        raise EmbeddedError(f"processes of an earlier run still work in {cluster}: {_all_in(cluster)}")
    if pid:
        # The pid may belong to somebody else by now, and PostgreSQL would take that one for a postmaster.
        (cluster / "postmaster.pid").unlink(missing_ok=True)


def _works_in(pid: int, cluster: Path) -> bool:
    """Whether this process is a PostgreSQL server of this cluster: the only kind that we may signal."""
    if sys.platform == "linux":
        try:
            name = Path(f"/proc/{pid}/comm").read_text().strip()
            return name == "postgres" and os.readlink(f"/proc/{pid}/cwd") == str(cluster)
        except OSError:
            return False
    shown = subprocess.run(  # noqa: S603 - a number is the only argument
        ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, check=False, text=True
    )
    return "postgres" in shown.stdout and str(cluster) in shown.stdout


def _all_in(cluster: Path) -> list[int]:
    if sys.platform != "linux":
        return []
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and _works_in(int(entry.name), cluster)
    ]


def postmaster_lines(cluster: Path) -> list[str]:
    """The lines of postmaster.pid: process id, folder, start, port, socket, address, shared memory, state."""
    try:
        return (cluster / "postmaster.pid").read_text().splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return []


def die_with_parent() -> Callable[[], None] | None:
    """What the child does before exec: ask for SIGINT, a fast shutdown, when we die. Linux only."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl  # looked up before the fork
    parent = os.getpid()

    def ask() -> None:
        if prctl(PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0) != 0 or os.getppid() != parent:
            os._exit(1)  # we died before the call: nobody would stop the server

    return ask


def free_port(wish: int) -> int:
    if wish and is_free(wish):
        return wish
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _wait_until(done: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
