"""The museum: replies as people type them, one a line, with the reading of each."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parent
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-f]{4})|(.))")
_MEANT: Final = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """One reply: `reading` is a careful person's, `why` the code with which it is left to people."""

    line: int
    reply: str
    reading: str | None
    why: str | None


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else _MEANT[found[2]], text)


def exhibits(name: str) -> list[Exhibit]:
    r"""The lines of one file: `reply TAB reading`, with \n \t \r \\ \uXXXX in it; `# ` opens a heading.

    A reading is a value (`8`), the code of a reply that nobody can be sure of (`?range`), or both
    (`8 ?context`): a person reads 8, and the reader leaves it to him.
    """
    found = []
    for number, line in enumerate((_HERE / name).read_text(encoding="utf-8").split("\n"), start=1):
        if not line or line.startswith("# "):
            continue
        reply, _, reading = line.partition("\t")
        value, _, why = reading.partition("?")
        found.append(
            Exhibit(line=number, reply=_unescaped(reply), reading=value.strip() or None, why=why or None)
        )
    return found
