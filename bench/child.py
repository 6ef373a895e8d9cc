"""Helpers of a run as processes of their own: a JSON line in, a JSON line out, gone when their parent is."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any, Final

import uvloop

Job = dict[str, Any]
LONGEST_LINE: Final = 1 << 28


class ChildError(Exception):
    """A helper failed; its own words are on standard error."""


class Child:
    """A helper, as the run sees it. `with Child("bench.load") as load: load.ask(do=…)`."""

    def __init__(self, module: str, *arguments: str) -> None:
        self.module = module
        self._process = subprocess.Popen(  # noqa: S603 - a module of ours
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.pid = self._process.pid
        try:
            self.answer()  # it is up: what it costs to start is no part of a figure
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, **job: Any) -> Job:
        """Have a job done and wait for its answer. Raises `ChildError`."""
        self.tell(**job)
        return self.answer()

    def tell(self, **job: Any) -> None:
        """Give a job without waiting; `answer` waits."""
        if self._process.stdin is None:
            raise ChildError(f"{self.module} takes no jobs")
        try:
            self._process.stdin.write(json.dumps(job).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise ChildError(f"{self.module} has ended") from None

    def answer(self) -> Job:
        """The answer to the oldest job that has none. Raises `ChildError`."""
        line = self._process.stdout.readline() if self._process.stdout else b""
        if not line:
            raise ChildError(f"{self.module} has ended with {self._process.wait()}")
        answer: Job = json.loads(line)
        if "failed" in answer:
            raise ChildError(f"{self.module}: {answer['failed']}")
        return answer

    def close(self) -> None:
        """End it: its standard input closes, and who does not hear that is killed."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


def serve(start: Callable[[], Awaitable[Callable[[Job], Awaitable[Job]]]]) -> None:
    """The helper's own main: `start` gives the function that does jobs; runs until standard input ends."""
    uvloop.run(_serve(start))


async def _serve(start: Callable[[], Awaitable[Callable[[Job], Awaitable[Job]]]]) -> None:
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader(limit=LONGEST_LINE)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    work = await start()
    print("{}", flush=True)
    while line := await lines.readline():
        try:
            answer = await work(json.loads(line))
        except Exception as error:
            answer = {"failed": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
