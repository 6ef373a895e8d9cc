"""Opt-out words: what they stop, by what they were written in answer to, and the receipt."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from gateway.domain.address import split_address
from gateway.domain.effect import Scope
from gateway.domain.keywords import key_of
from gateway.domain.optout import OptOut
from gateway.domain.routing import Route, optout_of
from gateway.services.compose import Draft
from gateway.services.parts import Whole
from gateway.storage import contacts as contact_rows
from gateway.storage.database import Connection

#: So long after a marketing message an opt-out to where it came from is about its category.
ANSWERS_FOR: Final = timedelta(days=3)

#: By customer and address: category and language of the last marketing message.
Offered = Mapping[tuple[str, str], tuple[str | None, str | None]]

_NOTHING: Offered = {}
#: Whatever they answer, they are about all marketing.
_ALL: Final = frozenset(map(key_of, ("TDALL", "STOP ALL", "全部退订", "退订全部")))


class Left(NamedTuple):
    """What a customer left: the scope, what a receipt calls it, and its language where it is known."""

    scope: str
    told: str
    language: str | None


async def read(connection: Connection, wholes: Sequence[Whole], now: datetime) -> Offered:
    """What those of these customers were offered lately who opt out. In most batches nobody does."""
    leaving = {
        (each.bucket, each.msisdn, each.address) for each in wholes if optout_of(each.text) is OptOut.LEAVE
    }
    return await contact_rows.offered(connection, leaving, now - ANSWERS_FOR) if leaving else _NOTHING


def left(whole: Whole, found: Route, offered: Offered) -> Left:
    """What an opt-out is of: surveys, the category of a marketing message that it answers, else marketing."""
    about = found.conversation
    language = about.subject.language if about is not None else None
    offer = offered.get((whole.msisdn, whole.address))
    elsewhere = about is not None and about.address != whole.address
    if found.scope is Scope.SURVEYS and (offer is None or not elsewhere):
        return Left(Scope.SURVEYS, "survey", language)
    category, spoken = offer or (None, None)
    if category is None or key_of(whole.text) in _ALL:
        return Left(Scope.MARKETING, "marketing", language or spoken)
    return Left(f"category:{category}", "category", language or spoken)


def receipt(whole: Whole, senders: Mapping[str, int], template: str, **params: str) -> Draft:
    """A word to the customer, from where the customer wrote to."""
    ours = split_address(whole.address, senders) is not None
    return Draft(to=whole.msisdn, template=template, params=params, sender=whole.address if ours else None)
