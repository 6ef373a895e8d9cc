"""What the kernel says of processes: the time they spent on the processors, and the memory that they hold."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_PROC: Final = Path("/proc")

Spent = dict[str, float]


def cpu_seconds(pid: int) -> float:
    """Time on a processor of all threads of a process, and of its children that have ended; 0: it is gone."""
    fields = _stat(pid)
    if not fields:
        return 0.0
    ended = (int(fields[13]) + int(fields[14])) / _TICKS
    try:  # in nanoseconds; ticks miss whoever sleeps when the clock strikes
        threads = [path.read_text() for path in (_PROC / str(pid) / "task").glob("*/schedstat")]
    except OSError:
        threads = []
    if threads:
        return ended + sum(int(text.split()[0]) for text in threads) / 1e9
    return ended + (int(fields[11]) + int(fields[12])) / _TICKS


def resident(pid: int) -> int:
    """Octets of memory that a process holds."""
    return int((_PROC / str(pid) / "statm").read_text().split()[1]) * _PAGE


def children(pid: int) -> list[int]:
    """A process's children that live."""
    return [
        int(other.name)
        for other in _PROC.glob("[0-9]*")
        if (f := _stat(int(other.name))) and f[1] == str(pid)
    ]


def family_seconds(pid: int) -> float:
    """CPU seconds of a server and the processes that it forks for its clients."""
    return cpu_seconds(pid) + sum(cpu_seconds(child) for child in children(pid))


class Meter:
    """CPU seconds by process since it was made. A PostgreSQL counts with its backends."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = dict(pids)
        self._before = self._read()

    def micros(self, per: int) -> Spent:
        """Microseconds by process, shared among so many messages."""
        return {name: round((now - self._before[name]) * 1e6 / per, 1) for name, now in self._read().items()}

    def _read(self) -> Spent:
        return {
            name: family_seconds(pid) if name == "postgres" else cpu_seconds(pid)
            for name, pid in self._pids.items()
        }


def _stat(pid: int) -> list[str]:
    """The fields of stat after the name (proc(5)): state, ppid, …; empty when it is gone."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return []
