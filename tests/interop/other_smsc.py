"""node-smpp as an SMSC that is not ours. The package is fetched once and kept outside the checkout."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

VERSION: Final = "0.5.1"
SCRIPT: Final = Path(__file__).with_name("node_smsc.js")
INSTALL_SECONDS: Final = 60
Event = dict[str, Any]


class MissingError(Exception):
    """The other SMSC can't be had here; says why."""


def cache() -> Path:
    """Where the package is kept between runs."""
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "huiyin-tests" / f"smpp-{VERSION}"


async def package(folder: Path) -> Path:
    """The package's folder, installed now if it is not there. Raises MissingError."""
    there = folder / "node_modules" / "smpp"
    if there.is_dir():
        return there
    npm = shutil.which("npm")
    if npm is None:
        raise MissingError("npm is not installed")
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside its place, and moved there whole: runs in parallel do not see each other's halves.
    making = Path(tempfile.mkdtemp(prefix="making-", dir=folder.parent))
    try:
        install = await asyncio.create_subprocess_exec(
            *(npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(making)),
            f"smpp@{VERSION}",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            _, said = await asyncio.wait_for(install.communicate(), INSTALL_SECONDS)
        except TimeoutError:
            install.kill()
            await install.wait()
            raise MissingError("the npm registry does not answer") from None
        if install.returncode:
            raise MissingError(f"npm could not install smpp: {said.decode()[-200:].strip()}")
        if not there.is_dir():
            making.rename(folder)
    except OSError:
        if not there.is_dir():
            raise
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return there


class OtherSmsc:
    """The process; `events` is all that it told so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._stirred = asyncio.Event()
        self.events: list[Event] = []
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, folder: Path, script: Path = SCRIPT, *arguments: str) -> OtherSmsc:
        """Raises MissingError."""
        node = shutil.which("node")
        if node is None:
            raise MissingError("node is not installed")
        process = await asyncio.create_subprocess_exec(
            node,
            str(script),
            str(await package(folder)),
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        return cls(process)

    async def wait_for(self, event: str, count: int = 1, **like: Any) -> list[Event]:
        """The events of this kind, once there are so many."""

        def found() -> list[Event]:
            return [e for e in self.events if e["event"] == event and like.items() <= e.items()]

        await self._until(lambda: len(found()) >= count)
        return found()

    def says(self, msisdn: str, to: str, *parts: dict[str, str]) -> None:
        """A customer writes."""
        assert self._process.stdin is not None
        order = json.dumps({"from": msisdn, "to": to, "parts": parts})
        self._process.stdin.write(order.encode() + b"\n")

    async def stop(self) -> None:
        """End it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), 2)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._reading

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.events.append(json.loads(line))
            self._stirred.set()
        self._stirred.set()

    async def _until(self, happened: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not happened():
                self._stirred.clear()
                await self._stirred.wait()
