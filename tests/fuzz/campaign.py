"""A campaign against one target: inputs by seed and number, each timed, memory watched, what breaks kept."""

import resource
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from tests.fuzz.target import Target

SLOW_MS: Final = 50.0
#: Growth of the resident set that the interpreter's own pools explain.
SLACK_MB: Final = 6.0
_LOOK_EVERY: Final = 256


@dataclass(slots=True, kw_only=True)
class Figures:
    """What one campaign measured."""

    target: str
    seed: int
    inputs: int = 0
    seconds: float = 0.0
    slowest_ms: float = 0.0
    slowest_number: int = 0
    rss_early: float = 0.0  #: MB when a fifth was done
    rss_end: float = 0.0
    failures: list[str] = field(default_factory=list)  #: what went wrong, with the way to have it again

    @property
    def rate(self) -> float:
        return self.inputs / self.seconds if self.seconds else 0.0

    @property
    def flat(self) -> bool:
        return self.rss_end <= 1.05 * self.rss_early + SLACK_MB


def resident() -> float:
    """The resident set in MB; where there is no /proc, its highest so far."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
            1 << 10 if sys.platform == "linux" else 1 << 20
        )
    return pages * resource.getpagesize() / (1 << 20)


def octets_of(target: Target, seed: int, number: int, random: Random | None = None) -> bytes:
    """The input with this number: the same wherever a campaign of this seed begins."""
    random = random or Random()
    random.seed(seed << 40 | number)
    return target.make(random)


class Campaign:
    """Runs a target for so many inputs, or so many seconds, whichever ends first."""

    def __init__(self, target: Target, *, seed: int, keep: Path, most_failures: int = 3) -> None:
        self._target = target
        self._keep = keep
        self._most = most_failures
        self.figures = Figures(target=target.name, seed=seed)

    def run(self, *, cases: int | None, seconds: float | None, first: int = 0) -> Figures:
        figures = self.figures
        random, started = Random(), time.monotonic()
        number, done = first, 0.0
        while done < 1 and len(figures.failures) < self._most:
            self._one(number, octets_of(self._target, figures.seed, number, random))
            number += 1
            figures.inputs += 1
            if figures.inputs % _LOOK_EVERY == 0 or figures.inputs == cases:
                figures.seconds = time.monotonic() - started
                by_time = figures.seconds / seconds if seconds else 0.0
                done = max(by_time, figures.inputs / cases if cases else 0.0)
                if done >= 0.2 and not figures.rss_early:
                    figures.rss_early = resident()
        figures.seconds = time.monotonic() - started
        figures.rss_end = resident()
        figures.rss_early = figures.rss_early or figures.rss_end
        if not figures.flat:
            figures.failures.append(f"memory grew from {figures.rss_early:.0f} to {figures.rss_end:.0f} MB")
        return figures

    def _one(self, number: int, octets: bytes) -> None:
        figures = self.figures
        began = time.perf_counter()
        try:
            self._target.run(octets)
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            what = f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
            self._failed(number, octets, what)
        spent = (time.perf_counter() - began) * 1000
        if spent > figures.slowest_ms:
            # Again, by this thread's own time: what others on the machine took is not the parser's.
            spent = min(spent, *(_cost(self._target.run, octets) for _ in range(2)))
            if spent > SLOW_MS:
                self._failed(number, octets, f"{spent:.0f} ms for one input")
            if spent > figures.slowest_ms:
                figures.slowest_ms, figures.slowest_number = spent, number

    def _failed(self, number: int, octets: bytes, what: str) -> None:
        name, seed = self._target.name, self.figures.seed
        self._keep.mkdir(parents=True, exist_ok=True)
        file = self._keep / f"{name}-{seed}-{number}.hex"
        file.write_text(octets.hex() + "\n")
        shown = octets.hex() if len(octets) <= 200 else f"{octets[:200].hex()}… ({len(octets)} octets)"
        again = f"python -m tests.fuzz {name} --seed {seed} --first {number} --cases 1"
        self.figures.failures.append(f"{what}\n  input: {shown}\n  kept:  {file}\n  again: {again}")


def _cost(run: Callable[[bytes], None], octets: bytes) -> float:
    began = time.thread_time()
    with suppress(Exception):  # told already
        run(octets)
    return (time.thread_time() - began) * 1000
