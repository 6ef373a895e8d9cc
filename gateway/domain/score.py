"""What a customer's reply says as a score. A wrong score is worse than none: a number counts only where all
around it is understood (what leads it in, what ends it, a comment that takes nothing back)."""

import re
import unicodedata
from itertools import pairwise
from typing import Final

from gateway.domain import words as say
from gateway.domain.flaws import is_mockery
from gateway.domain.fold import Folded, fold
from gateway.domain.garbled import is_garbled
from gateway.domain.numerals import Kind, Mention, mentions
from gateway.domain.optout import holds_optout
from gateway.domain.satisfaction import SEPARATORS, contradicts, from_words, is_top, joined
from gateway.domain.scale import SHIPPED, Scale, Scored, Unclear, WordTable

__all__ = ["SHIPPED", "Scale", "Scored", "Unclear", "WordTable", "read_score"]

_CLAUSE_END: Final = re.compile(
    r"[,。!?;、~…\n()\[\]【】「」『』\"<>《》{}]|(?<![a-z])'|'(?![a-z])|\.+(?!\d)|--+"
)
_OPENING: Final = " ([【「『\"'<《{"
#: 1.服务差 may be the first of a list; 1.满意 is a line of the question, sent back.
_LISTED: Final = re.compile(r"[.、):]\s*[^\s.]")
_ECHO: Final = re.compile(r"[.、):]\s*(?:不|很|非常)*(?:满意|一般)[。!]?\s*")
_RATED: Final = ("服务", "态度", "总体", "整体", "综合", "overall")
_REFUSALS: Final = frozenset({"没有", "没", "不", "不是", "不行", "无法", "not", "no"})
_WORD: Final = re.compile(r"\w+")
_BLANK: Final = re.compile(r"[ \n]")
_LATIN: Final = re.compile(r"[a-z]")
_MACHINE: Final = re.compile(r"[\u202d\u202e]")


def read_score(text: str, scale: Scale, words: WordTable = SHIPPED) -> Scored | Unclear:
    """The one score that the reply states on `scale` with the comment beside it, or why none is certain."""
    if is_garbled(text):
        return Unclear(why="undecodable")
    line = fold(text)
    answer = _read(line, scale, words)
    beside = answer.comment if isinstance(answer, Scored) else answer.why != "no-number"
    return Unclear(why="opt-out") if beside and holds_optout(line.plain) else answer


def _read(line: Folded, scale: Scale, words: WordTable) -> Scored | Unclear:
    if _MACHINE.search(line.clean):
        return Unclear(why="odd-mark")
    line, found = _numbers(line, scale)
    stated = [mention for mention in found if mention.kind in (Kind.BARE, Kind.MARKED)]
    odd = next((mention for mention in found if mention.kind is Kind.ODD), None)
    if odd:
        return Unclear(why=odd.why)
    if not stated:
        why = next((mention.why for mention in found if mention.why), "no-number")
        return from_words(line, scale, words) or Unclear(why=why)
    one = _one(line.plain, stated, scale)
    if isinstance(one, Unclear):
        return one
    if not 1 <= one.value <= scale.highest or (
        one.kind is Kind.MARKED and scale is Scale.THREE and "满" in line.plain[one.start : one.end]
    ):
        return Unclear(why="off-scale")
    return _from_number(line, one, scale)


def _numbers(line: Folded, scale: Scale) -> tuple[Folded, list[Mention]]:
    """The numbers of the text; of 满分10分，我给8分 without what only says where this very scale ends."""
    stars = scale is Scale.FIVE
    top = say.SCALE_TOP[scale.highest].search(line.plain) if scale is not Scale.THREE else None
    if top:
        blank = " " * (top.end() - top.start())
        rest = Folded(*(each[: top.start()] + blank + each[top.end() :] for each in line))
        found = list(mentions(rest.plain, scale.highest, stars=stars))
        if any(mention.kind in (Kind.BARE, Kind.MARKED) for mention in found):
            return rest, found
    return line, list(mentions(line.plain, scale.highest, stars=stars))


def _one(plain: str, stated: list[Mention], scale: Scale) -> Mention | Unclear:
    """The only mention of a score; 10分10分10分 is one, and so is 9分，扣一分 on ten."""
    first, last = stated[0], stated[-1]
    if len(stated) == 1:
        return first
    if len(stated) == 2 and 0 < last.value < first.value and first.value + last.value == scale.highest:
        kept_back = say.KEPT_BACK.match(plain, first.end)
        if kept_back and kept_back.end() == last.end and scale is not Scale.THREE:
            return first
    for mention, following in pairwise(stated):
        between = plain[mention.end : following.start].strip(SEPARATORS)
        if between or mention.value != first.value or mention.kind is not Kind.MARKED:
            return Unclear(why="several")
    if last.value != first.value or last.kind is not Kind.MARKED:
        return Unclear(why="several")
    return first._replace(end=last.end)


def _from_number(line: Folded, score: Mention, scale: Scale) -> Scored | Unclear:
    """The score at its place, if all before and after it leaves it standing."""
    plain = line.plain
    after = plain[score.end :]
    if not after and not score.start:
        return Scored(value=score.value, comment="")
    if after and unicodedata.category(after[0])[0] == "M":
        return Unclear(why="odd-mark")
    lead = _lead(plain[: score.start], score)
    if isinstance(lead, Unclear):
        return _named(lead, plain)
    tail = _tail(after, score)
    if isinstance(tail, Unclear):
        return _named(tail, plain)
    before = plain[:lead]
    plain_end = not before and (tail == len(after) or say.THANKS.fullmatch(after))
    if not plain_end and (refused := _refused(before, plain[lead : score.start], after, score, scale)):
        return refused
    comment = joined(line.clean[:lead], line.clean[score.end + tail :])
    return Scored(value=score.value, comment=comment)


def _lead(before: str, score: Mention) -> int | Unclear:
    """Where the statement of the score begins: all before it is comment."""
    bare = before.rstrip(_OPENING)
    apart = len(bare) < len(before)
    if score.kind is Kind.MARKED and say.FIRST.fullmatch(bare):
        return 0
    if say.DANGLING.search(bare[-6:]) or say.NEGATOR.search(bare.rstrip(" ,.。!~")[-4:]):
        return Unclear(why="negated")
    if not apart and say.STUCK.search(bare[-3:]):
        return Unclear(why="context")
    ends = [end.end() for end in _CLAUSE_END.finditer(bare)]
    start: int = ends[-1] if ends else 0
    blank: int = bare.rfind(" ", start) + 1
    leads: list[int] = [start, *([blank] if blank else ()), *([len(bare)] if apart else ())]
    for lead in leads:
        strength = _strength(bare[lead:], score)
        if not strength:
            continue
        if lead == 0:
            return 0
        known = say.KNOWN.fullmatch(bare, 0, lead) and (
            strength == "strong" or not say.NOUN_LAST.search(bare[:lead].rstrip()[-8:])
        )
        if known or (strength == "strong" and (lead == start or _may_stand(bare[start:lead]))):
            return lead
    verb: int = max(bare.rfind("给"), bare.rfind("打"))
    if verb > 0 and _strength(bare[verb:], score) and _is_verdict(bare[:verb]):
        return verb
    if say.KNOWN.fullmatch(bare) and not (score.kind is Kind.BARE and say.NOUN_LAST.search(bare[-8:])):
        return len(bare)
    return Unclear(why="context")


def _is_verdict(words: str) -> bool:
    """Whether 还行 in 还行给7分 is a judgement. In 信号好给10分 and 满意给10分 it may be a condition."""
    return say.JUDGED.search(words) is not None and say.KNOWN.fullmatch(words) is not None


def _may_stand(held: str) -> bool:
    """Whether words that only a blank parts from the score are a comment on the service, and turn nothing."""
    return say.TELLING.search(held) is not None and not (_LATIN.search(held) or say.HANGING.search(held))


def _strength(lead: str, score: Mention) -> str:
    """How sure the words that lead in a number make it a score: strong, weak, or not at all."""
    lead = lead.strip()
    latin = _LATIN.search(lead) is not None
    if not (found := (say.LEAD_LATIN if latin else say.LEAD).fullmatch(lead)):
        return ""
    if found["verb"] or (score.kind is Kind.MARKED and (not latin or lead.split()[-1] in say.LATIN_LAST)):
        return "strong"
    if lead.endswith(_RATED):
        return "weak"
    return "weak" if not lead or say.ARTICLE.fullmatch(lead + " ") else ""


def _tail(after: str, score: Mention) -> int | Unclear:
    """How much after the number still belongs to it: the rest is comment."""
    closing = say.PARTICLES.match(after)
    end = closing.end() if closing else 0
    rest = after[end:]
    if not rest:
        return end
    if (
        rest[0] == "?"
        or (rest[0] in "吗么嘛" and not rest.startswith("么么"))
        or re.match(r"[.。!,~ ]+[?]", rest)
    ):
        return Unclear(why="question")
    blank = _BLANK.search(after[:end]) is not None
    sign = rest[0] in SEPARATORS or (end and after[end - 1] in ")]】」』》>\"'}!\n")
    content = rest.lstrip(SEPARATORS)
    if content.rstrip(SEPARATORS) in _REFUSALS:
        return Unclear(why="negated")
    if content and content[0].isdecimal() and score.kind is Kind.BARE:
        return Unclear(why="several")
    if score.value <= 2 and score.kind is Kind.BARE and _LISTED.match(after) and not _ECHO.fullmatch(after):
        return Unclear(why="list")
    return end if sign or _follows(rest, score, blank=blank) else Unclear(why="context")


def _follows(rest: str, score: Mention, *, blank: bool) -> bool:
    """Whether words that no sign parts from the score are a comment: not its unit, not its predicate."""
    if score.kind is Kind.BARE and say.SOUNDS[score.value].match(rest):
        return False
    first = _WORD.match(rest)
    if first is None:  # an emoji
        return True
    if (say.NEXT_MARKED if score.kind is Kind.MARKED else say.NEXT_BARE).match(rest):
        return True
    if not blank:
        return False
    if _LATIN.match(rest):
        return say.NEXT_LATIN.match(rest) is not None
    if score.kind is Kind.MARKED:
        return not say.TIED.match(rest)
    return not say.TIED.match(rest) and (len(first[0]) > 2 or _telling(first[0]))


def _telling(word: str) -> bool:
    """Whether a short word is a comment by itself: 谢谢, 满意, 骗子."""
    return (
        any(pattern.match(word) for pattern in (say.STRONG_BLAME, say.BLAME))
        or say.KNOWN.fullmatch(word) is not None
    )


def _named(unclear: Unclear, plain: str) -> Unclear:
    """The same with the code of what the words look like, where they are only not understood."""
    if unclear.why != "context":
        return unclear
    return next((Unclear(why=why) for why, pattern in say.LOOKS_LIKE if pattern.search(plain)), unclear)


def _refused(before: str, lead: str, after: str, score: Mention, scale: Scale) -> Unclear | None:
    """Why the words beside the score make it doubtful, if they do."""
    comment = f"{before}\n{say.KEPT_BACK.sub(' ', say.WISH.sub(' ', after))}"
    if say.DANGER.search(comment) or say.QUALIFIED.search(after):
        return Unclear(why="taken-back")
    if say.CONDITION.search(before) or (say.DEED.search(before) and not say.DONE.search(before)):
        return Unclear(why="condition")
    if say.TAG.search(after):
        return Unclear(why="question")
    if re.search(r"'d|would", lead) and "but" in after:
        return Unclear(why="condition")
    if is_top(score.value, scale) and is_mockery(comment):
        return Unclear(why="taken-back")
    if contradicts(comment, score.value, scale):
        return Unclear(why="contradiction")
    return None
