"""What a reply says of the customer's satisfaction in words: a score by itself where the words are one, and
whether they contradict the number that stands beside them."""

import re
from functools import lru_cache
from typing import Final

from gateway.domain import words as say
from gateway.domain.flaws import is_flawed, is_mockery, without_harmless
from gateway.domain.fold import Folded
from gateway.domain.scale import Scale, Scored, Unclear, WordTable

#: Blanks and signs that part a score from its comment.
SEPARATORS: Final = " \n\t,.。!?;:、~…-—()[]【】「」『』\"'<>《》{}#*·，！？；：（）．～｡､“”‘’"

_SUBJECTS: Final = say.listed(
    "我们 我 本人 这次 本次 此次 对于 对 对你们 对你 对您 你们的 你们服务 你们客服 贵公司 移动公司 移动 "
    "客服人员 客服 师傅 "
    "工作人员 服务态度 服务质量 服务 态度 "
    "总体来说 总体 整体 的 处理结果 处理 解决 结果 感觉 感到 令人 让人 这个 是 也 都 评价 投诉 网络 信号 "
    "宽带 回复 选择 选 答复 效率 速度 "
    "i_am i'm i_feel we_are i_was overall am it's it_is"
)
_ENDINGS: Final = say.listed(
    "你们的服务 你们服务 你们的处理 这次服务 本次服务 此次服务 "
    "了 啊 哦 呀 的 啦 噢 亲 谢谢你们 谢谢您 谢谢 感谢 多谢 辛苦了 thanks thank_you with_the_service "
    "with_your_service "
    "with_it with_this"
)
_NOT: Final = say.listed(
    "不是很 不是太 不是非常 不太 不大 不怎么 不够 不算 不甚 不很 不那么 不令人 不让人 不能让人 不 没有 没 "
    "谈不上 毫不 并不 极不 极其不 "
    "非常不 很不 太不 十分不 相当不 特别不 完全不 一点都不 一点也不 一点不 根本不 未能让人 并不是很 不感到 "
    "没有很 没有太 没有特别 不是好"
)
_VERY: Final = say.listed(
    "非常 非常之 很 好 十分 特别 挺 相当 超 超级 真 真的很 还是很 还是挺 蛮 太 万分 百分百 令人 让人 "
    "还是非常 真的非常"
)


def _clause(core: str) -> re.Pattern[str]:
    """A clause that says nothing but `core`: whose satisfaction before it, particles and thanks after it."""
    return re.compile(
        rf"\s*(?:(?:{say.any_of(_SUBJECTS)})\s*)*+(?P<core>{core})\s*(?:(?:{say.any_of(_ENDINGS)})\s*)*+"
    )


_THREE: Final = _clause(
    rf"(?P<bad>(?:{say.any_of(_NOT)})满意|(?:非常|很|强烈|极度|十分)?不满"
    r"|not satisfied at all|(?:(?:very|really|totally|completely) )?"
    r"(?:not (?:at all |very |really |so |too )?satisfied|dissatisfied|unsatisfied|not happy))"
    rf"|(?P<good>(?:{say.any_of(_VERY)})?满意"
    r"|(?:(?:very|really|quite|so|extremely|fully|totally|completely) )?satisfied)"
    r"|(?P<middle>(?:很|就|也就|还是)?(?:一般般|一般|普普通通|普通|尚可|凑合"
    r"|马马虎虎|还行|还可以|中等)吧?|so[- ]?so"
    r"|average)"
)


_ANYBODY: Final = re.compile(r"(?<![a-z])(?:nobody|no one|thanks?|slow|fixed|solved)(?![a-z])")
_LATIN: Final = re.compile(r"[a-z]")
_OPENERS: Final = frozenset(say.listed("可以 行 评价 回答 是的 对 嘿嘿 100"))
_TAILS: Final = frozenset(say.listed("的 了 得 地 吧 呢 啦 了吧 得了 得很 极了 的很"))
_NEGATORS: Final = frozenset(
    [
        "不",
        "没",
        "没有",
        "不是",
        "不对",
        "不行",
        "无",
        "别",
        "否",
        "非",
        "未",
        "no",
        "not",
        "none",
        "never",
        "不会",
        "不能",
        "并不",
    ]
)


@lru_cache(maxsize=32)
def _phrases(phrases: frozenset[str]) -> re.Pattern[str] | None:
    """A clause that says nothing but one of the phrases."""
    return _clause(say.any_of(map(re.escape, phrases))) if phrases else None


def from_words(line: Folded, scale: Scale, words: WordTable) -> Scored | Unclear | None:
    """A score in words alone: the operator's phrases; on `three` satisfied, so-so, dissatisfied, negated."""
    plain = line.plain
    read: list[tuple[int, int, int]] = []
    phrases = words.folded[scale]
    core = _phrases(frozenset(phrases))
    for start, end in _clauses(plain):
        clause = plain[start:end]
        if core and (phrase := core.fullmatch(clause)):
            read.append((phrases[phrase["core"]], start, end))
        elif scale is Scale.THREE and (phrase := _THREE.fullmatch(clause)):
            read.append((3 if phrase["bad"] else 1 if phrase["good"] else 2, start, end))
    if not read:
        return None
    if len(read) > 1:
        return Unclear(why="several")
    value, start, end = read[0]
    rest = f"{plain[:start]}\n{plain[end:]}"
    if "满意" in rest or "satisf" in rest or say.MIDDLING.search(rest):
        return Unclear(why="contradiction")
    if not (_stands_after(plain[:start]) and _stands_before(plain[end:])):
        return Unclear(why="context")
    if "?" in plain or say.TAG.search(plain[end:]):
        return Unclear(why="question")
    if say.DANGER.search(plain) or say.CONDITION.search(plain[:start]):
        return Unclear(why="taken-back")
    if (
        say.EXCEPT.search(rest)
        or contradicts(rest, value, scale)
        or (value in (1, scale.highest) and _mixed(rest, value, scale))
    ):
        return Unclear(why="contradiction")
    return Scored(value=value, comment=joined(line.clean[:start], line.clean[end:]))


def _stands_after(before: str) -> bool:
    """Whether the words before a clause of satisfaction leave it alone: 客服很好，满意; not 谈不上 满意."""
    places = _clauses(before)
    if not places:
        return True
    start, end = places[-1]
    near = before[start:end].strip()
    if near in _NEGATORS or say.DANGLING.search(near):
        return False
    known = near in _OPENERS or say.KNOWN.fullmatch(near) or say.TELLING.search(near) or len(near.split()) > 2
    return bool(known) and not (
        before[end:].isspace() and "\n" not in before[end:] and say.HANGING.search(near)
    )


def _is_known(near: str) -> bool:
    return say.KNOWN.fullmatch(near) is not None or len(near.split()) > 2


def _stands_before(after: str) -> bool:
    """Whether the words after a clause of satisfaction are a comment of their own, and not 满意 得起来."""
    places = _clauses(after)
    if not places:
        return True
    start, end = places[0]
    near = after[start:end].strip()
    if near in _NEGATORS:
        return False
    if _LATIN.match(near):
        return any(pattern.search(near) for pattern in (say.FLAW, say.BLAME, _ANYBODY)) or _is_known(near)
    if say.KNOWN.fullmatch(near):
        return near not in _TAILS
    if near[0] in "才就" or (not after[:start].strip(" ") and say.HANGING.search(near)):
        return False
    return say.TELLING.search(near) is not None or say.WISHING.match(near) is not None or len(near) > 4


def _mixed(rest: str, value: int, scale: Scale) -> bool:
    """Whether the rest holds any blame beside a good word, or any praise beside a bad one."""
    blamed = say.STRONG_BLAME.search(rest) or say.BLAME.search(rest) or is_flawed(rest) or is_mockery(rest)
    return bool(blamed if is_top(value, scale) else say.STRONG_PRAISE.search(rest) or say.PRAISE.search(rest))


def _clauses(plain: str) -> list[tuple[int, int]]:
    """The places of the clauses, without what parts them. A blank parts Chinese words, not Latin ones."""
    places, start = [], 0
    for end in re.finditer(r"(?:[^\w' -]|(?<![a-z])'|'(?![a-z]))+|(?<![a-z,]) (?![a-z])", plain):
        places.append((start, end.start()))
        start = end.end()
    places.append((start, len(plain)))
    return [(left, right) for left, right in places if left < right]


def is_top(value: int, scale: Scale) -> bool:
    """Whether nothing better can be said on the scale."""
    return value == (1 if scale is Scale.THREE else scale.highest)


def contradicts(comment: str, value: int, scale: Scale) -> bool:
    """Whether the words say another thing than the number: 10 and 非常不满意, 1 and 很好."""
    if say.DOUBLED.search(comment) or (is_top(value, scale) and is_flawed(comment)):
        return True
    strong_blame = blame = flaw = None
    rest = comment
    if any(pattern.search(comment) for pattern in (say.STRONG_BLAME, say.BLAME, say.FLAW)):
        rest = comment = without_harmless(comment)
        strong_blame = say.STRONG_BLAME.search(rest)
        rest = say.STRONG_BLAME.sub(" ", rest)
        blame = say.BLAME.search(rest)
        rest = say.BLAME.sub(" ", rest)
        flaw = say.FLAW.search(rest)
        rest = say.FLAW.sub(" ", rest)
    strong_praise, praise = say.STRONG_PRAISE.search(rest), say.PRAISE.search(rest)
    middling = say.MIDDLING.search(rest)
    if scale is Scale.THREE:
        good = strong_praise or praise
        return bool(
            (value == 1 and (strong_blame or blame or middling))
            or (value == 2 and (strong_blame or "满意" in comment))
            or (value == 3 and (middling or (good and not (blame or strong_blame or flaw))))
        )
    share = value / scale.highest
    return bool(
        (strong_blame and share > 0.5)
        or (blame and share >= 0.7 and not (praise or strong_praise))
        or (blame and share == 1)
        or (strong_praise and share <= 0.6 and not (blame or strong_blame or flaw))
        or (strong_praise and share <= 0.3)
        or (praise and share <= 0.4 and not (blame or strong_blame or flaw))
        or (middling and (share >= 0.9 or share <= 0.2))
    )


def joined(before: str, after: str) -> str:
    """The comment from both sides of the score, without the signs that parted it."""
    before, after = before.strip(), after.lstrip(SEPARATORS).rstrip()
    if not before.strip(SEPARATORS):
        return after
    return f"{before}{after}" if after else before.rstrip(SEPARATORS)
