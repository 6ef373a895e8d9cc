"""Delivery receipts in the hands of many vendors: the same facts, each in a form that some SMSC has."""

import re
import time
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from gateway.smpp import receipt
from gateway.smpp.receipt import State

_HOLE: Final = re.compile(r"\{([^{}]*)\}")
_TAIL: Final = (
    "sub:{sub} dlvrd:{dlvrd} submit date:{submit} done date:{done} stat:{stat} err:{err} text:{text}"
)
_USUAL: Final = "id:{id} " + _TAIL
_FORGED: Final = "id:0 stat:DELIVRD"
_ERR: Final = {State.DELIVERED: "000", State.EXPIRED: "004", State.REJECTED: "008"}


def _same(text: str) -> str:
    return text


class Dialect(NamedTuple):
    """One vendor's way. An empty template: parameters alone."""

    template: str = _USUAL
    words: Mapping[State, str] = {}
    errs: Mapping[State, str] = _ERR
    err: str = "001"  #: of all other states
    id: Callable[[str], str] = _same
    word: Callable[[str], str] = _same
    text: str | None = None  #: in place of the message's own
    swapped: bool = True  #: the receipt comes from the customer to us; else with the message's own addresses


_TEXTUAL: Final = {State.DELIVERED: "NO_ERROR", State.EXPIRED: "EXPIRED", State.REJECTED: "BARRED"}
NAMED: Final[Mapping[str, Dialect]] = {
    "appendix-b": Dialect(),
    "lower-case": Dialect(word=str.lower),
    "capital-keys": Dialect(
        "ID:{id} SUB:{sub} DLVRD:{dlvrd} SUBMIT DATE:{submit} DONE DATE:{done} "
        "STAT:{stat} ERR:{err} TEXT:{text}"
    ),
    "reordered": Dialect(
        "stat:{stat} err:{err} id:{id} done date:{done} submit date:{submit} "
        "dlvrd:{dlvrd} sub:{sub} text:{text}"
    ),
    "commas": Dialect(
        "id:{id},sub:{sub},dlvrd:{dlvrd},submit date:{submit},done date:{done},stat:{stat},err:{err}"
    ),
    "long-dates": Dialect(_USUAL.replace("{submit}", "{submit12}").replace("{done}", "{done12}")),
    "longest-dates": Dialect(_USUAL.replace("{submit}", "{submit14}").replace("{done}", "{done14}")),
    "no-sub": Dialect("id:{id} submit date:{submit} done date:{done} stat:{stat} err:{err} text:{text}"),
    "no-text": Dialect("id:{id} submit date:{submit} done date:{done} stat:{stat} err:{err}"),
    "text-first": Dialect("text:{text} id:{id} " + _TAIL.removesuffix(" text:{text}"), text=_FORGED),
    "text-forged": Dialect(text=_FORGED),
    "tlv-only": Dialect(""),
    "own-words": Dialect(
        words={State.DELIVERED: "0", State.UNDELIVERABLE: "MK:0005", State.EXPIRED: "MK:0010"}
    ),
    "written-out": Dialect(word=str.capitalize, words={state: state.value for state in State}),
    "err-text": Dialect(errs=_TEXTUAL, err="ABSENT_SUBSCRIBER"),
    "source-own-number": Dialect(swapped=False),
    "hex-upper": Dialect(id=str.upper),
    "leading-zeros": Dialect(id=lambda written: written.zfill(20)),
}
HOLES: Final = (
    "id", "sub", "dlvrd", "submit", "submit12", "submit14", "done", "done12", "done14", "stat", "err", "text",
)  # fmt: skip


def wrong(form: str) -> str:
    """What is wrong with a form; empty: nothing."""
    if form in NAMED:
        return ""
    holes = _HOLE.findall(form)
    if not holes:
        return f"no form of that name; there are {', '.join(NAMED)}, or write one with {{id}}, {{stat}}"
    unknown = [hole for hole in holes if hole not in HOLES]
    return f"{{{unknown[0]}}} is not known; there are {', '.join(HOLES)}" if unknown else ""


def find(form: str, words: Mapping[State, str]) -> Dialect:
    """The dialect of a form, with the SMSC's own words in place of its."""
    dialect = NAMED.get(form) or Dialect(form)
    return dialect._replace(words={**dialect.words, **words}) if words else dialect


def is_usual(dialect: Dialect) -> bool:
    """Whether it is appendix B to the letter, for which there is a quick way."""
    return dialect == NAMED["appendix-b"]


def write(
    dialect: Dialect, message_id: str, state: State, *, submitted: float, done: float, text: str
) -> bytes:
    """The text of a receipt. Times are seconds since 1970."""
    submit_date, done_date = (time.strftime("%Y%m%d%H%M%S", time.localtime(at)) for at in (submitted, done))
    word = dialect.words.get(state) or receipt.word_of(state)
    facts = {
        "id": dialect.id(message_id),
        "sub": "001",
        "dlvrd": "001" if state is State.DELIVERED else "000",
        "submit": submit_date[2:12],
        "submit12": submit_date[2:],
        "submit14": submit_date,
        "done": done_date[2:12],
        "done12": done_date[2:],
        "done14": done_date,
        "stat": dialect.word(word),
        "err": dialect.errs.get(state, dialect.err),
        "text": (text if dialect.text is None else dialect.text)[:20],
    }
    return _HOLE.sub(lambda hole: facts[hole[1]], dialect.template).encode("latin-1", "replace")
