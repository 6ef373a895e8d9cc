"""How commands end: exit statuses, faults and JSON."""

import json
import sys
from collections.abc import Sequence
from typing import Final

OK: Final = 0
FAILED: Final = 1
WRONG_USE: Final = 2
INTERRUPTED: Final = 130  # as shells count Ctrl-C


def tell_faults(faults: Sequence[str], *, as_json: bool) -> int:
    """All that is wrong: sentences on standard error, or JSON on standard output."""
    if as_json:
        print(json.dumps({"faults": list(faults)}, ensure_ascii=False, indent=2))
    else:
        print(*faults, sep="\n", file=sys.stderr)
        print(f"{len(faults)} fault{'s' if len(faults) != 1 else ''}", file=sys.stderr)
    return FAILED


def say(command: str, sentence: str) -> None:
    """A sentence for people on standard error, led by the command that says it."""
    print(f"huiyin {command}: {sentence}", file=sys.stderr)


def say_json(value: object) -> int:
    print(json.dumps(value, ensure_ascii=False, indent=2))
    return OK
