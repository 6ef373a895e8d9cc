"""What a customer chooses from a numbered list, where 1 is all of it. Only what is understood to its last
sign is a choice: a wrong one takes away what the customer wanted to keep."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from gateway.domain.consent import No, Yes, read_consent
from gateway.domain.fold import fold
from gateway.domain.numerals import read_numeral


class Word(StrEnum):
    """What opens a list, from whatever number of ours it is sent to."""

    LIST = "0000"
    ALL = "00000"


class Reason(StrEnum):
    """Why a text is no choice. What it looks like, for people: nothing hangs on which one it is."""

    OFF_LIST = "off-list"  #: a number that was not on the list
    BOTH = "both"  #: all, and one of them
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Chosen:
    """These, by their place in the list, from 0, each once, in the order of the list."""

    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class All:
    """The whole list."""


@dataclass(frozen=True, slots=True)
class More:
    """The next page."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """None of these: the customer is asked again."""

    reason: Reason = Reason.OTHER


Choice = Chosen | All | More | Unclear

#: The number of the first on the list: 1 is all of it.
FIRST: Final = 2
_LONGEST: Final = 120

_ENDS: Final = " \t\n.。!~,、;:…\"'“”‘’()【】[]「」『』<>《》*"
_ASKS: Final = "我要 我想 想 要 请 麻烦 帮我 帮忙 给我 pls please i_want_to want_to"
_CANCEL: Final = (
    "退订 退定 退掉 退 取消订阅 取消订购 取消 删除 删 关闭 关掉 停掉 停 qx td tuiding cancel remove stop "
    "unsubscribe_from unsubscribe"
)
_PICK: Final = "回复 回 选择 选 输入 发送 发 编号 序号 reply choose number"


def _any(words: str) -> str:
    return "|".join(word.replace("_", " ?") for word in sorted(words.split(), key=len, reverse=True))


#: 要3 alone may as well say that it is wanted: a wish needs what is wished for.
_LEAD: Final = re.compile(
    rf"(?:(?:(?:{_any(_ASKS)}) ?)*+"
    rf"(?P<cancel>(?:{_any(_CANCEL)})(?:业务|服务|编号|序号|套餐|[ :.#])*+)"
    rf"|(?:请 ?)?(?:{_any(_PICK)})[ :.]*+)"
)
_TAIL: Final = re.compile(
    rf"(?:[ ,]?(?:{_any(_CANCEL)})(?:掉|了|吧)?)?"
    r"(?:[ ,.。!]*(?:谢谢|多谢|谢了|please|pls|thanks|thank ?you))?"
)
_SIGN: Final = r"\d{1,3}|[零一二三四五六七八九十]{1,3}|[^\x00-\u00a7\u3003-\u9fff\uff00-\uffef]"
#: 3项 without 第 may be how many.
_ONE: Final = re.compile(
    rf"第 ?(?P<nth>{_SIGN}) ?(?:[号项个条](?:业务|服务)?)?|(?:no\. ?|#)?(?P<n>{_SIGN})(?: ?号(?:业务|服务)?)?"
)
_NEXT: Final = re.compile(r" ?(?:[,、;&+\n]|和|及|与|跟|还有|以及|and) ?| +")

_ALL: Final = (
    "全部 全部退订 退订全部 全部取消 取消全部 全退 全退订 都退 都退订 都退了 全部退 退全部 所有 所有业务 "
    "全部业务 退订所有 退订所有业务 退订全部业务 取消所有 取消所有业务 取消全部业务 全都退 全都退订 全取消 "
    "都取消 一键退订 all cancelall cancelthemall"
)
_MORE: Final = "更多 下一页 下页 翻页 gd more morepages next nextpage 0"
_YES: Final = (
    "确认退订 确认全部退订 确认退订全部 确认取消 确认全部取消 确定退订 确定全部退订 同意退订 退订确认"
)
_WORDS: Final[dict[str, All | More]] = {
    **dict.fromkeys(_ALL.split(), All()),
    **dict.fromkeys(_MORE.split(), More()),
}
_NO: Final = (
    "不退 不退订 不退了 不退订了 不取消 不取消了 不要退 不要退订 不要取消 别退 别退订 先不退 保留 keep"
)
_AGREED: Final = frozenset(_YES.split())
_REFUSED: Final = frozenset(_NO.split())
_ABOUT: Final = re.compile(r"退|取消|拒|停|订|接收|再发|^(?:td?|r)$|stop|unsub|cancel|quit|opt|remove|start")


def read_word(text: str) -> Word | None:
    """Whether the whole text is 0000 or 00000, in any width, with closing punctuation."""
    return _word(text) if len(text) <= 2 * len(Word.ALL) + 4 else None


@lru_cache(maxsize=4096)
def _word(text: str) -> Word | None:
    plain = _bare(text)
    return Word(plain) if plain in ("0000", "00000") else None


def _bare(text: str) -> str:
    return fold(text).plain.strip(_ENDS)


def read_choice(text: str, names: Sequence[str], shown: int) -> Choice:
    """What the whole text chooses of a list with these names, the first `shown` of which the customer saw."""
    if len(text) > _LONGEST:
        return Unclear()
    plain = _bare(text)
    together = plain.replace(" ", "")
    if "?" in plain or not plain:
        return Unclear()
    if (word := _WORDS.get(together)) is not None:
        return word
    lead = _LEAD.match(plain)
    start = lead.end() if lead else 0
    if lead and lead["cancel"] and (place := _named(plain[start:], names[:shown])) is not None:
        return Chosen((place,))
    numbers = _numbers(plain, start)
    return Unclear() if numbers is None else _choice(numbers, shown)


def _choice(numbers: Sequence[int], shown: int) -> Choice:
    if any(not 1 <= number < shown + FIRST for number in numbers):
        return Unclear(Reason.OFF_LIST)
    if 1 in numbers:
        return All() if set(numbers) == {1} else Unclear(Reason.BOTH)
    return Chosen(tuple(sorted({number - FIRST for number in numbers})))


def _numbers(plain: str, place: int) -> list[int] | None:
    """The numbers from `place` on, if there is nothing else to the end."""
    numbers = []
    while one := _ONE.match(plain, place):
        value = read_numeral(one["nth"] or one["n"])
        if value is None:
            return None
        numbers.append(value)
        place = one.end()
        if _TAIL.fullmatch(plain, place):
            return numbers
        parted = _NEXT.match(plain, place)
        if parted is None:
            return None
        place = parted.end()
    return None


def _named(rest: str, names: Sequence[str]) -> int | None:
    """The place of the one service with just this name."""
    wanted = _letters(rest)
    found = [place for place, name in enumerate(names) if wanted and _letters(name) == wanted]
    return found[0] if len(found) == 1 else None


def _letters(text: str) -> str:
    return "".join(sign for sign in fold(text).plain if sign.isalnum())


def agrees(text: str) -> bool | None:
    """Whether the text agrees to cancel all of it; None: it neither agrees nor refuses.

    What is a refusal elsewhere (取消, 退订) is here what was asked about.
    """
    together = _bare(text[: _LONGEST + 1]).replace(" ", "")
    if together in _AGREED:
        return True
    if together in _REFUSED:
        return False
    match read_consent(text):
        case Yes():
            return True
        case No() if not _ABOUT.search(together):
            return False
        case _:
            return None
