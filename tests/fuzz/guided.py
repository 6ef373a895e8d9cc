"""The same targets under a coverage-guided engine, where somebody has installed it; nothing here needs it."""

import importlib
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

SEEDS = 1500


def engine() -> ModuleType:
    """Ends the program in words when there is none."""
    try:
        return importlib.import_module("atheris")
    except ImportError:
        sys.exit("atheris is not installed here; it is no dependency: pip install atheris")


def guided(target: str, *, seconds: float, seed: int) -> NoReturn:
    """In a process of its own, since the engine instruments modules as they are imported."""
    engine()
    arguments = [target, f"{seconds:.0f}", str(seed)]
    os.execv(sys.executable, [sys.executable, "-m", __name__, *arguments])


def run(argv: Sequence[str]) -> None:
    """Until the time is over or an input breaks the target; the engine ends the process itself."""
    name, seconds, seed = argv
    atheris: Any = engine()
    with atheris.instrument_imports(include=["gateway.smpp", "gateway.sms"]):
        from tests.fuzz.__main__ import TARGETS
        from tests.fuzz.campaign import octets_of
    target = TARGETS[name]
    with tempfile.TemporaryDirectory(prefix=f"fuzz-{name}-") as corpus:
        for number in range(SEEDS):
            Path(corpus, str(number)).write_bytes(octets_of(target, int(seed), number))
        # Lengths are left to the seeds: the largest of them is what an input may be.
        atheris.Setup([sys.argv[0], corpus, f"-seed={seed}", f"-max_total_time={seconds}"], target.run)
        atheris.Fuzz()


if __name__ == "__main__":
    run(sys.argv[1:])
