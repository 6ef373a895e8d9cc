"""The same targets under a coverage-guided engine, where somebody has installed it; nothing here needs it."""

import importlib
import inspect
import sys
from types import ModuleType
from typing import Any

from tests.fuzz.campaign import octets_of
from tests.fuzz.target import Target

SEEDS = 2000


def engine() -> ModuleType:
    """Ends the program in words when there is none."""
    try:
        return importlib.import_module("atheris")
    except ImportError:
        sys.exit("atheris is not installed here; it is no dependency: pip install atheris")


def guided(target: Target, *, seconds: float, seed: int) -> int:
    """Run until the time is over or an input breaks the target; the engine ends the process itself."""
    atheris: Any = engine()
    modules = [
        module for name, module in sys.modules.items() if name.startswith(("gateway.smpp", "gateway.sms"))
    ]
    for module in modules:
        for name, value in list(vars(module).items()):
            if inspect.isfunction(value) and value.__module__ == module.__name__:
                setattr(module, name, atheris.instrument_func(value))
    for number in range(SEEDS):
        target.run(octets_of(target, seed, number))
    atheris.Setup([sys.argv[0], f"-seed={seed}", f"-max_total_time={seconds:.0f}"], target.run)
    atheris.Fuzz()
    return 0
