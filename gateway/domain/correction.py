"""A reply that takes back an earlier score and states exactly one new one: 打错了，是8分."""

import re
from typing import Final

from gateway.domain.fold import fold
from gateway.domain.garbled import is_garbled
from gateway.domain.numerals import Kind, mentions
from gateway.domain.scale import SHIPPED, Scale, Scored, WordTable
from gateway.domain.score import read_score

_GAP: Final = r"[ \n,.。!~…:、;-]*"
_SORRY: Final = (
    rf"(?:(?:不好意思|对不起|抱歉|哎呀|哎|啊|哦|噢|额|呃|等等|等一下|你好|您好|谢谢|麻烦|请|帮我|我|想|要"
    rf"|(?:sorry|oops|oh|wait|hi|hello|please|pls|my mistake|my bad|no|i)(?![a-z])){_GAP})*+"
)
_EARLIER: Final = (
    r"(?:刚才|刚刚|刚|前面|上面|上一条|上条|之前|那条|那个|的|是|我|不小心|手滑|手误|手抖|短信)*"
)
#: That the earlier score was a slip: it asks for a sign or a verb before the new one.
_SLIP: Final = (
    rf"{_EARLIER}(?:(?:打|发|按|写|输|填|点|选|弄|搞|评|给|回|说)错了?(?:一个)?(?:评分|分数|分|数字|数"
    rf"|号)?了?"
    r"|误(?:发|操作|按|触)了?|手[滑误抖]了?|不对|错了)"
    r"|(?:typo|mistake|wrong (?:number|score|key|button|one)|mistyped|pressed the wrong \w+)(?![a-z])"
)
#: That the new score follows at once.
_NEW: Final = (
    r"(?:应该|应当|应|其实|我?本?来?想|我想|我要)?(?:是|为|打|给|评|选)+"
    r"|应该|更正(?:一下|评分|分数|为|成|是)*|纠正(?:一下|为)*|修正(?:一下|为)*"
    r"|(?:我?要|我?想|重新)?(?:(?:把)?(?:评分|分数|评价|打分|分)?)(?:更?改|修改|换|变)(?:成|为|到|打|给|评"
    r"|一下|一个)+"
    r"|(?:我?要|我?想)?(?:更?改|修改)(?:一下)?(?:评分|分数|评价|打分|分)(?:为|成|是|到)*"
    r"|(?:我?要|我?想)?改(?=[\d一二三四五六七八九十])|重新(?:打分|评分|评价|打|评|给)(?:一下|为|是)*"
    r"|(?:meant|mean|meant to (?:say|put|send|type|give)|correction|should (?:be|have been)|it should be"
    r"|make it|change (?:it"
    r"|that|my (?:score|rating|answer)) to|changed? to|is|it's|was supposed to be)(?![a-z])"
)
#: 把9分改成8分: the earlier score may be named where both are told apart.
_FROM: Final = (
    r"(?:把|将|由|从|更正)?[ ]*(?:\d+|[一二三四五六七八九十])[ ]*[分星]?[ ]*(?:改成|改为|改到|更正为"
    r"|更改为|修改为|换成|变成|变为)"
    r"|(?:change|changed|change it)? *(?:from )?\d+ *(?:points? )?(?:to|into) "
)
_CORRECTION: Final = re.compile(
    rf"{_SORRY}(?:(?:(?P<slip>{_SLIP})(?:{_GAP}{_SORRY}(?P<verb>{_NEW}))*(?(verb){_GAP}|[ \n,.。!~…:、;-]+)"
    rf"|(?:{_FROM}|(?:{_NEW})(?:{_GAP}(?:{_NEW}))*){_GAP}))"
)
_WORD: Final = re.compile(
    r"应该是|改|更正|纠正|修正|换成|变成|变为|重新|错|误|手[滑抖]|不对|meant|mean|correction|should"
    r"|make it|change|typo|mistake|wrong"
)


def read_correction(text: str, scale: Scale, words: WordTable = SHIPPED) -> Scored | None:
    """The new score of a text that takes back an earlier one, by closed wording at its very beginning.

    None where it is no correction, or the new score is not one clear number: asked, denied, hanging on
    something. Only what answers an earlier score may be asked: as a first reply it stays unclear.
    """
    line = fold(text)
    opening = _CORRECTION.match(line.plain)
    if not opening or not _WORD.search(opening[0]) or is_garbled(text):
        return None
    rest = line.clean[opening.end() :]
    stated = any(
        each.kind in (Kind.BARE, Kind.MARKED)
        for each in mentions(fold(rest).plain, scale.highest, stars=scale is Scale.FIVE)
    )
    found = read_score(rest, scale, words) if stated else None
    return found if isinstance(found, Scored) else None
