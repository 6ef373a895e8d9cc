"""How ids are written in responses and in receipts, read off pairs of them."""

from collections.abc import Sequence
from itertools import product
from typing import Final

from gateway.smpp.receipt import Habits, IdForm, same_id

#: So many random hex digits are decimal ones alone once in two thousand times.
_ENOUGH: Final = 16
_FORMS: Final = ((IdForm.OPAQUE, IdForm.OPAQUE), (IdForm.HEX, IdForm.DECIMAL), (IdForm.DECIMAL, IdForm.HEX))


def id_habits(pairs: Sequence[tuple[str, str]]) -> Habits | None:
    """The plainest habits by which each response's id is its receipt's; None: there are none."""
    for (response, receipt), zeros, case in product(_FORMS, (False, True), (False, True)):
        habits = Habits(response_id=response, receipt_id=receipt, ignore_zeros=zeros, ignore_case=case)
        if all(same_id(responded, receipted, habits) for responded, receipted in pairs):
            return habits
    return None


def telling(pairs: Sequence[tuple[str, str]]) -> bool:
    """Whether these ids show their form: a single digit is the same number in hex and in decimal."""
    return any(len(each.lstrip("0")) > 1 or not each.isdecimal() for pair in pairs for each in pair)


def looks(*ids: str) -> str:
    """The form of ids in words, by all of them: digits alone may be hex by chance where they are few."""
    signs = "".join(ids)
    if signs.isdecimal():
        form = "decimal" if len(signs) >= _ENOUGH else "digits alone: decimal or hex, too few to tell"
    elif all(sign in "0123456789abcdef" for sign in signs):
        form = "hex, lower case"
    elif all(sign in "0123456789ABCDEF" for sign in signs):
        form = "hex, upper case"
    else:
        form = "free text"
    lengths = sorted({len(each) for each in ids})
    length = f"{lengths[0]}" if len(lengths) == 1 else f"{lengths[0]} to {lengths[-1]}"
    zeros = ", with leading zeros" if any(len(each) > 1 and each.startswith("0") for each in ids) else ""
    return f"{form}, {length} sign{'' if length == '1' else 's'}{zeros}"
