"""Which characters made a text UCS-2, and what it would cost without them."""

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from gateway.sms import alphabet, shifts
from gateway.sms.alphabet import Alphabet
from gateway.sms.cutting import PLAIN, Cutting
from gateway.sms.fold import plain_for
from gateway.sms.segment import codec_of, measure, on_air

#: Stands for a character that nothing looks like, when what a text would cost without it is counted.
_STAND_IN: Final = "?"


class Forcing(NamedTuple):
    """A character that GSM 7-bit has not got on this route."""

    character: str
    name: str  #: "U+2019 RIGHT SINGLE QUOTATION MARK"; the code point alone where it has no name
    times: int
    first: int  #: its first place in the text, from 0
    folded: str | None  #: what folding makes of it, "" for nothing at all; None where nothing is like it


def forced_ucs2_by(text: str, cutting: Cutting = PLAIN) -> tuple[Forcing, ...]:
    """The characters that made the text UCS-2, in the order of their first places; none for any other text.

    None as well where not a character but room decided: an alphabet other than GSM as the SMSC's default can
    need more octets than a short message has.
    """
    if measure(text, cutting).encoding != "ucs2":
        return ()
    table = min(
        (alphabet.GSM, *shifts.pairs(cutting.shifts)), key=lambda table: len(table.lacking.findall(text))
    )
    found: dict[str, list[int]] = {}
    for position in _lacking(text, table, cutting):
        found.setdefault(text[position], []).append(position)
    return tuple(
        Forcing(char, _named(char), len(places), places[0], _folded(text, places[0], table))
        for char, places in found.items()
    )


def on_air_without(text: str, forced: Iterable[Forcing], cutting: Cutting = PLAIN) -> int:
    """The short messages of the text with what folding makes of these characters, else with `?`."""
    plain = {ord(each.character): _STAND_IN if each.folded is None else each.folded for each in forced}
    return on_air(text.translate(plain), cutting)


def _lacking(text: str, table: Alphabet, cutting: Cutting) -> Iterator[int]:
    codec = "" if cutting.default == "gsm7" else codec_of(cutting.default)
    for position, char in enumerate(text):
        if not table.holds(char) or (codec and not _encodes(char, codec)):
            yield position


def _encodes(char: str, codec: str) -> bool:
    try:
        char.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def _named(char: str) -> str:
    return f"U+{ord(char):04X} {unicodedata.name(char, '')}".rstrip()


def _folded(text: str, position: int, table: Alphabet) -> str | None:
    """An accent written apart goes into its letter, and leaves nothing."""
    char = text[position]
    if position and unicodedata.combining(char):
        together = unicodedata.normalize("NFC", text[position - 1] + char)
        return "" if len(together) == 1 and table.holds(together) else None
    plain = plain_for(char, table)
    return None if plain == char else plain  # the table has it, the SMSC's default alphabet has not
