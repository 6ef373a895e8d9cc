"""Whether a reply says yes or no to a paid service. A false yes is the worst there is: it charges a customer.
Yes is one of a closed list standing alone, every sign of it known; with anything more it is none."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final, NoReturn

from gateway.domain import consent_words as say
from gateway.domain.fold import fold
from gateway.domain.garbled import is_garbled
from gateway.domain.optout import OptOut, read_optout


class Reason(StrEnum):
    """Why a reply is neither yes nor no. What it looks like, for people: nothing hangs on which one it is."""

    EMPTY = "empty"  #: nothing but blanks and punctuation
    UNDECODABLE = "undecodable"  #: octets read in a wrong encoding
    ODD_SIGN = "odd-sign"  #: signs that hide, turn or strike through what is seen
    INCOMPLETE = "incomplete"  #: breaks off, or a part is missing
    QUESTION = "question"
    QUOTED = "quoted"  #: our own prompt sent back, or an answer in quotation marks
    CONDITION = "condition"  #: hangs on something, or keeps something back
    BOTH = "both"  #: yes and no at once
    NEGATED = "negated"  #: a negation that is no plain refusal
    CODE_MISSING = "code-missing"  #: a yes without the code that was asked for
    CODE_WRONG = "code-wrong"  #: an answer with another code
    CODE_UNASKED = "code-unasked"  #: an answer with a number, where none was asked for
    REPEATED = "repeated"  #: more than one yes: YY, Y确认
    COURTESY = "courtesy"  #: has read it, thanks for it: 好的, OK, 收到, 嗯
    LOOSE = "loose"  #: may agree, in other words than those of the list: 可以, 开通, yep
    NEAR = "near"  #: nearly a word of the list: mistyped, in pinyin, as voice input writes it
    NUMBER = "number"
    EMOJI = "emoji"  #: a picture, alone or beside a word
    OTHER_SCRIPT = "other-script"  #: letters of other scripts or styles, whether or not they look like ours
    MORE = "more"  #: a word of agreement or refusal with more around it
    OTHER = "other"


class _Decided:
    """An answer that is never asked for its truth: `if read_consent(…)` would be true for a no."""

    __slots__ = ()

    def __bool__(self) -> NoReturn:
        raise TypeError("a consent is matched, it is not true or false")


@dataclass(frozen=True, slots=True)
class Yes(_Decided):
    """The customer agrees."""


@dataclass(frozen=True, slots=True)
class No(_Decided):
    """The customer refuses."""


@dataclass(frozen=True, slots=True)
class Unclear(_Decided):
    """Neither: the customer is asked again."""

    reason: Reason


Consent = Yes | No | Unclear
YES: Final = Yes()
NO: Final = No()

#: A longer text is no answer. Its reason is looked for in as much of it.
_LONGEST: Final = 80
_LOOKED_AT: Final = 300
_MISSING_PART: Final = "[…]"
_APART: Final = re.compile(r"[,.。!;:、~…\"()\[\]【】「」『』《》<>*#-]+|(?<![a-z])'|'(?![a-z])")
_BESIDE_HAN: Final = re.compile(r"(?<=[\u4e00-\u9fff]) +| +(?=[\u4e00-\u9fff])")
_BLANKS: Final = re.compile(r" {2,}")
_NUMBERED: Final = re.compile(r"(?P<rest>.*?[^\W\d]) *(?P<code>\d{1,12})[ .。!~]*")
_HIDDEN: Final = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u0300-\u036f\u0489\u061c\u115f\u1160\u180e\u200b\u200c\u200e\u200f"
    r"\u2028-\u202e\u2060-\u206f\u20d0-\u20dc\u20de-\u20e2\u20e4-\u20f0\u3164\ufeff\uffa0\U000e0000-\U000e0fff]"
)
_SIGNS: Final = re.compile(r"[\W_]+")
#: Emoji, their colours and their joiners. Letters in circles and squares are letters.
_PICTURES: Final = re.compile(
    r"[\u2190-\u21ff\u2300-\u23ff\u2500-\u27bf\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299\ufe0f\u200d"
    r"\U0001f000-\U0001f0ff\U0001f18e-\U0001f1e5\U0001f200-\U0001faff]+"
)
_STYLED: Final = re.compile(
    r"[\u2070-\u209c\u2100-\u214f\u2160-\u2188\u249c-\u24e9\U0001f110-\U0001f18d\U0001f1e6-\U0001f1ff]"
)
_OURS: Final = re.compile(
    r"[\x00-\x7f\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uff00-\uff5e\U00020000-\U0003ffff]"
)


def read_consent(text: str, *, code: str | None = None) -> Consent:
    """What the whole text says to the one question that was asked; with `code`, only `Y<code>` says yes.

    `code` is the digits of the prompt. Takes any string and raises nothing. A text of which parts are missing
    must not be given without the mark that `sms.reassembly` leaves in it.
    """
    return _remembered(text, code) if len(text) <= _LONGEST else _read(text, code)


@lru_cache(maxsize=4096)
def _remembered(text: str, code: str | None) -> Consent:
    """Most replies are one of a few dozen texts."""
    return _read(text, code)


def _read(text: str, code: str | None) -> Consent:
    if (agreement := _agreement(text)) is not None:
        return _with_code(agreement, code)
    if _MISSING_PART in text:
        return Unclear(Reason.INCOMPLETE)
    plain = fold(text[:_LOOKED_AT]).plain.replace("﹖", "?").strip()
    if read_optout(text) is OptOut.LEAVE and "?" not in plain:
        return NO
    if len(text) <= _LONGEST and (refusal := _refusal(plain, code)) is not None:
        return refusal
    return Unclear(_reason(text[:_LOOKED_AT], plain))


def _agreement(text: str) -> re.Match[str] | None:
    """The text as a word of agreement, with or without a code; None where one sign of it is unknown."""
    bare = text.strip(say.ENDS)
    return say.AGREE.fullmatch(bare.translate(say.PLAIN)) if len(bare) <= _LONGEST else None


def _with_code(agreement: re.Match[str], code: str | None) -> Consent:
    said = agreement["code"]
    if code is None:
        return YES if said is None else Unclear(Reason.CODE_UNASKED)
    if said is None:
        return Unclear(Reason.CODE_MISSING)
    if said != code:
        return Unclear(Reason.CODE_WRONG)
    return YES if agreement["before"] is not None else Unclear(Reason.MORE)


def _refusal(plain: str, code: str | None) -> Consent | None:
    """A refusal, bare or with the code; None where it is none or says more."""
    if "?" in plain:
        return None
    if _is_refusal(plain):
        return NO
    numbered = _NUMBERED.fullmatch(plain)
    if numbered and _is_refusal(numbered["rest"]):
        if numbered["code"] == code:
            return NO
        return Unclear(Reason.CODE_UNASKED if code is None else Reason.CODE_WRONG)
    return None


def _is_refusal(plain: str) -> bool:
    """Whether every clause refuses, but for thanks and greetings."""
    line = plain.replace("\n", " ")  # it may stand within 不要取消
    clauses = [_BLANKS.sub(" ", _BESIDE_HAN.sub("", clause)).strip() for clause in _APART.split(line)]
    said = [clause for clause in clauses if clause and not say.is_beside(clause)]
    return bool(said) and all(map(say.refuses, said))


def _reason(text: str, plain: str) -> Reason:
    """What the text looks like that is neither yes nor no: the first that fits."""
    if is_garbled(text):
        return Reason.UNDECODABLE
    if _HIDDEN.search(text.strip(say.ENDS)):
        return Reason.ODD_SIGN
    if not _SIGNS.sub("", plain) and not ("?" in plain or _PICTURES.search(plain) or _other_script(plain)):
        return Reason.EMPTY
    return _of_word(plain) or _of_sentence(plain) or _of_signs(plain)


def _of_word(plain: str) -> Reason | None:
    """Of a single word that is no answer, whatever stands around it but a question mark or brackets."""
    if "?" in plain or say.QUOTED.search(plain) or say.OPEN_END.search(plain):
        return None
    word = _SIGNS.sub("", plain)
    if foreign := _other_script(plain):
        return foreign
    if _PICTURES.search(plain) and (not word or _is_word(word)):
        return Reason.EMOJI
    if word in say.NEAR:
        return Reason.NEAR
    if word in say.COURTESY:
        return Reason.COURTESY
    return Reason.LOOSE if word in say.LOOSE else None


def _is_word(word: str) -> bool:
    return word in say.LOOSE or word in say.COURTESY or say.refuses(word)


def _of_sentence(plain: str) -> Reason | None:
    for reason, pattern in (
        (Reason.QUESTION, say.QUESTION),
        (Reason.QUOTED, say.QUOTED),
        (Reason.CONDITION, say.CONDITION),
        (Reason.BOTH, say.EITHER),
    ):
        if pattern.search(plain):
            return reason
    plain = say.NOT_YES.sub("不", plain)
    if say.NEGATED_YES.search(plain):
        return Reason.NEGATED
    agrees, refuses = say.YES_SAID.search(plain), say.NO_SAID.search(plain)
    if agrees and refuses:
        return Reason.BOTH
    if say.NEGATION.search(plain):
        return Reason.NEGATED
    if say.OPEN_END.search(plain):
        return Reason.INCOMPLETE
    if agrees and say.AGAIN.fullmatch(plain):
        return Reason.REPEATED
    return Reason.MORE if agrees or refuses else None


def _of_signs(plain: str) -> Reason:
    if say.NUMBER.fullmatch(plain):
        return Reason.NUMBER
    if foreign := _other_script(plain):
        return foreign
    return Reason.EMOJI if _PICTURES.search(plain) else Reason.OTHER


def _other_script(plain: str) -> Reason | None:
    strange = _STYLED.search(plain) or any(sign.isalpha() and not _OURS.match(sign) for sign in plain)
    return Reason.OTHER_SCRIPT if strange else None
