"""Whether a reply is one of the words with which a customer opts out, or comes back: the whole text, in any
width, case and script, whatever blanks and punctuation; never a word inside a sentence."""

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


def read_optout(text: str) -> OptOut | None:
    """Whether the whole text opts out or back in. A question (退订？) does neither."""
    if len(text) > _LONGEST:
        return None
    bare = _bare(text)
    return None if "?" in fold(text).plain else _WORDS.get(bare)
