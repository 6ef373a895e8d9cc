"""What a campaign aims at: a maker of inputs and what must hold for each."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random


class BrokenPromiseError(AssertionError):
    """The parser did not raise, and did not keep its word either."""


def must(holds: object, promise: str) -> None:
    """As `assert`, in words of its own and whatever the interpreter's flags."""
    if not holds:
        raise BrokenPromiseError(promise)


@dataclass(frozen=True, slots=True)
class Target:
    """`run` takes any octets at all, and raises only where the parser is wrong."""

    name: str
    what: str
    make: Callable[[Random], bytes]
    run: Callable[[bytes], None]
