"""How ids are written in responses and in receipts, read off pairs of them."""

from collections.abc import Sequence
from itertools import product
from typing import Final

from gateway.smpp.receipt import Habits, IdForm, same_id

_FORMS: Final = ((IdForm.OPAQUE, IdForm.OPAQUE), (IdForm.HEX, IdForm.DECIMAL), (IdForm.DECIMAL, IdForm.HEX))


def id_habits(pairs: Sequence[tuple[str, str]]) -> Habits | None:
    """The plainest habits by which each response's id is its receipt's; None: there are none."""
    for (response, receipt), zeros, case in product(_FORMS, (False, True), (False, True)):
        habits = Habits(response_id=response, receipt_id=receipt, ignore_zeros=zeros, ignore_case=case)
        if all(same_id(responded, receipted, habits) for responded, receipted in pairs):
            return habits
    return None


def looks(message_id: str) -> str:
    """The form of one id in words."""
    if message_id.isdecimal():
        form = "decimal"
    elif all(sign in "0123456789abcdef" for sign in message_id):
        form = "hex, lower case"
    elif all(sign in "0123456789ABCDEF" for sign in message_id):
        form = "hex, upper case"
    else:
        form = "free text"
    zeros = ", with leading zeros" if len(message_id) > 1 and message_id.startswith("0") else ""
    return f"{form}, {len(message_id)} signs{zeros}"
