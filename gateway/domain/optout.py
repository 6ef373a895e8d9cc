"""Whether a reply is one of the words with which a customer opts out, or comes back: the whole text, in any
width, case and script, whatever blanks and punctuation; never a word inside a sentence."""

import re
import unicodedata
from enum import StrEnum
from typing import Final

from gateway.domain.fold import fold


class OptOut(StrEnum):
    """Which way the customer goes."""

    LEAVE = "leave"  #: no more messages of this kind
    RETURN = "return"  #: messages of this kind again


#: Words and phrases; _ stands for a blank, which is not compared.
_LEAVE: Final = (
    "TD T R TDALL N退 T退 退 回T 回TD 回复T 回复TD 回T退订 回TD退订 回复T退订 回复TD退订 TD退订 T退订 "
    "退订T 退订TD "
    "退订 退定 退订短信 我要退订 我退订 申请退订 要求退订 全部退订 退订全部 请退订 取消订阅 拒收 拒收短信 "
    "拒绝接收 停止接收 停止发送 不再接收 不要再发 不要再发了 别再发了 不要再发短信 不要再发短信了 "
    "停止推送 取消推送 "
    "STOP STOP_ALL STOP_please please_STOP UNSUBSCRIBE UNSUBSCRIBE_me UNSUBSCRIBE_please please_UNSUBSCRIBE "
    "UNSUB OPT_OUT QUIT STOP_messages STOP_SMS remove_me"
)
_RETURN: Final = (
    "恢复订阅 重新订阅 取消退订 恢复接收 重新接收 继续接收 取消拒收 恢复短信 恢复推送 "
    "START UNSTOP RESUBSCRIBE SUBSCRIBE OPT_IN"
)


def _bare(text: str) -> str:
    """The letters and digits of a text, without blanks, punctuation and what nobody sees."""
    return "".join(sign for sign in fold(text).plain if unicodedata.category(sign)[0] not in "PZC")


_WORDS: Final = dict.fromkeys(map(_bare, _LEAVE.split()), OptOut.LEAVE) | dict.fromkeys(
    map(_bare, _RETURN.split()), OptOut.RETURN
)
_LONGEST: Final = 80
#: What parts clauses: signs, and blanks beside Chinese letters and digits. TD-LTE is one word.
_CLAUSE_END: Final = re.compile(r"[^\w' -]+|(?<![a-z])[ -]+|[ -]+(?![a-z])|\n")
_SCORE: Final = re.compile(r"^(?:[\d一二三四五六七八九十]+[分星]?)|(?:[\d一二三四五六七八九十]+[分星]?)$")
#: In a line of English that has no sign to part it: these alone are no English.
_SURE: Final = re.compile(r"(?<![a-z-])(?:td|tdall|unsub|unsubscribe|opt out)(?![a-z-])|(?<=[ ])t[ .!]*$")
_SIGNS: Final = re.compile(r"[\W_]+")
#: A text without any of these holds no opt-out, which is soon seen.
_HAN_HINT: Final = re.compile(r"[退拒订]|停止|再发|接收|恢复|推送")
_LATIN: Final = re.compile(r"[a-z]+")
_LATIN_HINT: Final = frozenset(
    part for word in (_LEAVE + _RETURN).lower().split() for part in _LATIN.findall(word)
) | frozenset(word for word in _WORDS if word.isascii())


def read_optout(text: str) -> OptOut | None:
    """Whether the whole text opts out or back in. A question (退订？) does neither."""
    if len(text) > _LONGEST:
        return None
    bare = _bare(text)
    return None if "?" in fold(text).plain else _WORDS.get(bare)


def holds_optout(plain: str) -> bool:
    """Whether a clause of its own in a folded text opts out or back in: 8分。TD; never 退订流量包很快."""
    if _LATIN_HINT.isdisjoint(_LATIN.findall(plain)) and not _HAN_HINT.search(plain):
        return False
    clauses = _CLAUSE_END.split(plain)
    return any(_is_word(clause) for clause in clauses) or _SURE.search(plain) is not None


def _is_word(clause: str) -> bool:
    if len(clause) > _LONGEST:
        return False
    bare = _SIGNS.sub("", clause)
    return bare in _WORDS or _SCORE.sub("", bare) in _WORDS
