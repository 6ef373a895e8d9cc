"""Which question a reply answers. `TABLE` is the rule: the first row that fits decides.

An opt-out is looked at before everything: no running dialogue swallows it.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from gateway.domain import confirmation
from gateway.domain import conversation as talk
from gateway.domain.choice import read_word
from gateway.domain.confirmation import Confirmation
from gateway.domain.conversation import Conversation
from gateway.domain.effect import Scope
from gateway.domain.keywords import key_of
from gateway.domain.menu import Menu, is_remembered
from gateway.domain.optout import OptOut as Way
from gateway.domain.optout import read_optout
from gateway.domain.reply_rules import ReplyRules, bare
from gateway.domain.rulebook import Rules
from gateway.domain.survey import Survey


class Words(StrEnum):
    """What the text is by itself, whatever was asked."""

    OPT_OUT = "opt-out"  #: TD, T, 退订 and the like
    OPT_IN = "opt-in"  #: 恢复订阅, START and the like
    MENU = "menu"  #: 0000 or 00000, exactly
    KEYWORD = "keyword"  #: one of the business hall, exactly
    EMPTY = "empty"  #: nothing but blanks and punctuation
    COURTESY = "courtesy"  #: thanks and greetings
    OTHER = "other"


class Home(StrEnum):
    """The conversation at this very access number and extension."""

    WAITING = "waiting"  #: it wants an answer, and its time is not over
    ANSWERED = "answered"
    CLOSED = "closed"  #: expired, cancelled
    NONE = "none"  #: none, or the address has no extension


class Paid(StrEnum):
    """What the text says to a confirmation that was asked from this very address."""

    CLEAR = "answers"  #: it waits, or its yes is young, and this is a clear yes or no
    UNCLEAR = "unclear"  #: it waits, and this is neither, nor a clear answer to another question here
    LATELY = "lately"  #: its yes is young, and this is neither
    LATE = "late"  #: it waits no more, and this is a clear yes or no
    NONE = "none"


class Outcome(StrEnum):
    """Where a reply goes."""

    OPT_OUT_SURVEYS = "opt out of surveys"
    OPT_OUT_MARKETING = "opt out of marketing"
    OPT_IN = "opt in again"
    PAID = "the confirmation asked from this address"
    MENU = "a new list of what is subscribed to"
    ENQUIRY = "the business hall, which looks it up"
    WHICH = "the list, which asks what was meant"
    OVER = "the list whose time is over, which says so"
    HOME = "the conversation at this address"
    CLEAR = "the newest that it clearly answers"
    ASKED_HERE = "the newest waiting at this number"
    LATELY = "the one answered lately"
    LATE = "too late: the inbox"
    NOISE = "kept, nothing follows"
    COURTESY = "kept as thanks, nothing follows"
    UNMATCHED = "the customer's own words"


#: The reply is given to a conversation.
ANSWERS: Final = frozenset(
    {
        Outcome.PAID,
        Outcome.WHICH,
        Outcome.OVER,
        Outcome.HOME,
        Outcome.CLEAR,
        Outcome.ASKED_HERE,
        Outcome.LATELY,
    }
)


class Facts(NamedTuple):
    """What the table asks."""

    words: Words
    home: Home
    clear: bool  #: a clear answer to home or, without one, to some conversation that waits
    waiting: bool  #: some conversation waits, wherever it was asked
    here: bool  #: one of them was asked from this very number, without an extension
    lately: bool  #: home or, without one, some conversation was answered within the revision window
    paid: Paid = Paid.NONE  #: with one, the facts above are those of other conversations
    torn: bool = False  #: a clear answer to a list and to a question of another kind, where nothing is home
    over: bool = False  #: a clear answer to a list whose time is over, and to nothing that waits


class Row(NamedTuple):
    """One line of the table; None fits everything."""

    outcome: Outcome
    words: Words | None = None
    home: tuple[Home, ...] | None = None
    clear: bool | None = None
    waiting: bool | None = None
    here: bool | None = None
    lately: bool | None = None
    paid: Paid | None = None
    torn: bool | None = None
    over: bool | None = None

    def fits(self, facts: Facts) -> bool:
        """Whether this row speaks of such a reply."""
        return (
            self.words in (None, facts.words)
            and (self.home is None or facts.home in self.home)
            and self.clear in (None, facts.clear)
            and self.waiting in (None, facts.waiting)
            and self.here in (None, facts.here)
            and self.lately in (None, facts.lately)
            and self.paid in (None, facts.paid)
            and self.torn in (None, facts.torn)
            and self.over in (None, facts.over)
        )


_ASKED: Final = (Home.WAITING, Home.ANSWERED, Home.CLOSED)

TABLE: Final = (
    Row(Outcome.PAID, paid=Paid.CLEAR),  # 退订 is a no
    Row(Outcome.OPT_OUT_SURVEYS, words=Words.OPT_OUT, home=_ASKED),
    Row(Outcome.OPT_OUT_SURVEYS, words=Words.OPT_OUT, waiting=True),
    Row(Outcome.OPT_OUT_MARKETING, words=Words.OPT_OUT),
    Row(Outcome.OPT_IN, words=Words.OPT_IN),
    Row(Outcome.MENU, words=Words.MENU),
    Row(Outcome.ENQUIRY, words=Words.KEYWORD),
    Row(Outcome.PAID, paid=Paid.UNCLEAR),  # it is asked once more
    Row(Outcome.PAID, paid=Paid.LATE),  # the customer is told how things stand
    Row(Outcome.PAID, paid=Paid.LATELY),  # a person looks at it
    Row(Outcome.HOME, home=(Home.WAITING,), clear=True),
    Row(Outcome.NOISE, words=Words.EMPTY),
    Row(Outcome.COURTESY, words=Words.COURTESY, clear=False),
    Row(Outcome.HOME, home=(Home.WAITING,)),  # not understood: it is asked once more
    Row(Outcome.HOME, home=(Home.ANSWERED,), clear=True),  # a revision, later a comment
    Row(Outcome.HOME, home=(Home.ANSWERED,), lately=True),  # a comment
    Row(Outcome.OVER, over=True),  # 0000 is to be sent again
    Row(Outcome.LATE, home=(Home.CLOSED,), clear=True),
    Row(Outcome.WHICH, torn=True),  # nothing is cancelled by guess
    Row(Outcome.CLEAR, home=(Home.NONE,), clear=True),
    Row(Outcome.ASKED_HERE, home=(Home.NONE,), here=True),  # not understood: it is asked once more
    Row(Outcome.LATELY, home=(Home.NONE,), lately=True),  # a revision or a comment
    Row(Outcome.UNMATCHED),
)


@dataclass(frozen=True, slots=True)
class Route:
    """Where a reply goes; `conversation` is the one it is about, if any."""

    outcome: Outcome
    conversation: Conversation | None = None
    scope: Scope | None = None  #: of an opt-out
    alone: bool = True  #: no other open question could be meant by words without a code
    keyword: str | None = None  #: the entry of the business hall that is asked for


def route(
    text: str, address: str, at: datetime, conversations: Sequence[Conversation], rules: Rules
) -> Route:
    """Where a reply goes that came to `address` now; `conversations` are the customer's, newest first."""
    conversations = [each for each in conversations if talk.asks(each)]
    home = _home(address, conversations, rules.access_numbers)
    if (
        home is not None
        and not isinstance(home, Confirmation)
        and talk.is_waiting(home, at)
        and talk.understands(home, text, rules)
        and (optout_of(text) is None or isinstance(home, Menu))  # 全部退订 is on the list
    ):
        return Route(Outcome.HOME, home)  # nearly every reply ends here
    words = words_of(text, rules.replies)
    keyword = _keyword(text, words, conversations, at, rules)
    words = Words.KEYWORD if keyword is not None else words
    there = [each for each in conversations if isinstance(each, Confirmation) and each.address == address]
    others = _others(home, conversations, there)
    candidates = [each for each in others if talk.is_waiting(each, at)]
    own = home if not isinstance(home, Confirmation) else None
    clear = own if own is not None else _first_clear([*candidates, *_young(others, at, rules)], text, rules)
    is_clear = clear is not None and talk.understands(clear, text, rules)
    here = next((each for each in candidates if each.address == address), None)
    lately = _lately(own, [each for each in others if not isinstance(each, Confirmation)], at, rules)
    asked = [each for each in candidates if isinstance(each, Survey)]
    survey = own if isinstance(own, Survey) else None  # what an opt-out may be of
    newest = _newest(address, conversations, at)
    paid, offer = _paid(text, words, there, at, rules)
    if paid is Paid.UNCLEAR and (is_clear or newest is not offer):
        paid = Paid.NONE
    torn = _torn(candidates, text, rules) if own is None else None
    over = None if lately or (own is None and is_clear) else _over(own, others, text, at, rules)
    facts = Facts(
        words=words,
        home=_standing(survey if words is Words.OPT_OUT else own, at),
        clear=is_clear,
        waiting=bool(asked),
        here=here is not None,
        lately=lately is not None,
        paid=paid,
        torn=torn is not None,
        over=over is not None,
    )
    found: dict[Outcome, Conversation | None] = {
        Outcome.PAID: offer,
        Outcome.OPT_OUT_SURVEYS: survey or next(iter(asked), None),
        **dict.fromkeys(_OF_NONE),
        Outcome.WHICH: torn,
        Outcome.OVER: over,
        Outcome.CLEAR: clear,
        Outcome.ASKED_HERE: here,
        Outcome.LATELY: lately,
    }
    outcome = decide(facts)
    alone = not is_clear and sum(talk.is_waiting(each, at) for each in there) < 2
    return Route(
        outcome, found.get(outcome, home), _SCOPES.get(outcome), outcome is not Outcome.PAID or alone, keyword
    )


#: They are about no conversation that there is already.
_OF_NONE: Final = (Outcome.OPT_OUT_MARKETING, Outcome.OPT_IN, Outcome.MENU, Outcome.ENQUIRY)
_SCOPES: Final = {Outcome.OPT_OUT_SURVEYS: Scope.SURVEYS, Outcome.OPT_OUT_MARKETING: Scope.MARKETING}


def _others(
    home: Conversation | None, conversations: Sequence[Conversation], there: Sequence[Confirmation]
) -> list[Conversation]:
    """What else a text may be about: nothing, at an extension that a confirmation has for itself."""
    if isinstance(home, Confirmation):
        return []
    paid = {each.id for each in there}
    return [each for each in conversations if each.id not in paid]


def _paid(
    text: str, words: Words, there: Sequence[Confirmation], at: datetime, rules: Rules
) -> tuple[Paid, Confirmation | None]:
    """What a text says to the confirmations that were asked from where it was written to, newest first."""
    if not there or words in (Words.OPT_IN, Words.EMPTY):
        return Paid.NONE, None
    waiting = [each for each in there if talk.is_waiting(each, at)]
    young = _young(there, at, rules)
    for each in (*waiting, *young):
        if talk.understands(each, text, rules):
            return Paid.CLEAR, each
    if words is Words.OPT_OUT:
        return Paid.NONE, None
    if waiting:
        return Paid.UNCLEAR, waiting[0]
    for each in there:
        if at <= each.expires_at + confirmation.REMEMBERED and talk.understands(each, text, rules):
            return Paid.LATE, each
    return (Paid.LATELY, young[0]) if young and words is Words.OTHER else (Paid.NONE, None)


def _torn(candidates: Sequence[Conversation], text: str, rules: Rules) -> Menu | None:
    """The list that a text could be about, if it is also a clear answer to a question of another kind."""
    meant = [each for each in candidates if talk.understands(each, text, rules)]
    lists = [each for each in meant if isinstance(each, Menu)]
    return lists[0] if lists and len(lists) < len(meant) else None


def _over(
    own: Conversation | None, others: Sequence[Conversation], text: str, at: datetime, rules: Rules
) -> Menu | None:
    """The newest list that the text would be about if its time were not over."""
    lists = [each for each in (others if own is None else (own,)) if isinstance(each, Menu)]
    known = (each for each in lists if not talk.is_waiting(each, at) and is_remembered(each, at, rules.menus))
    return next((each for each in known if talk.understands(each, text, rules)), None)


def decide(facts: Facts) -> Outcome:
    """The first row of the table that fits."""
    return next(row.outcome for row in TABLE if row.fits(facts))


def words_of(text: str, rules: ReplyRules) -> Words:
    """What a text is by itself."""
    match optout_of(text):
        case Way.LEAVE:
            return Words.OPT_OUT
        case Way.RETURN:
            return Words.OPT_IN
    if read_word(text) is not None:
        return Words.MENU
    if all(unicodedata.category(char)[0] in "ZPCM" for char in text):
        return Words.EMPTY
    return Words.COURTESY if bare(text) in rules.courtesies else Words.OTHER


def _keyword(
    text: str, words: Words, conversations: Sequence[Conversation], at: datetime, rules: Rules
) -> str | None:
    """The entry of the business hall that a text asks for. A number, or a wish for a person, is one only
    where no question is open that it may be about."""
    if words not in (Words.OTHER, Words.COURTESY) or (entry := rules.keywords.find(text)) is None:
        return None
    if (key_of(text).isdigit() or rules.replies.help.said_in(text)) and any(
        talk.is_waiting(each, at) or talk.is_revisable(each, at, rules) for each in conversations
    ):
        return None
    return entry


@lru_cache(maxsize=4096)
def optout_of(text: str) -> Way | None:
    """Whether the text opts out or in and says nothing else. Most replies are one of a few dozen texts."""
    return read_optout(text)


def _home(address: str, conversations: Sequence[Conversation], shared: frozenset[str]) -> Conversation | None:
    """The newest conversation that was asked from this address, if its extension is nobody else's."""
    if address in shared:
        return None
    return next((each for each in conversations if each.address == address), None)


def _standing(home: Conversation | None, at: datetime) -> Home:
    if home is None:
        return Home.NONE
    if talk.is_waiting(home, at):
        return Home.WAITING
    return Home.ANSWERED if talk.is_answered(home) else Home.CLOSED


def _young(among: Iterable[Conversation], at: datetime, rules: Rules) -> list[Confirmation]:
    """The confirmations whose yes can still be taken back."""
    return [each for each in among if isinstance(each, Confirmation) and talk.is_revisable(each, at, rules)]


def _newest(address: str, conversations: Sequence[Conversation], at: datetime) -> Conversation | None:
    """The newest that was asked from this address and waits."""
    return next(
        (each for each in conversations if each.address == address and talk.is_waiting(each, at)), None
    )


def _first_clear(candidates: Sequence[Conversation], text: str, rules: Rules) -> Conversation | None:
    return next((each for each in candidates if talk.understands(each, text, rules)), None)


def _lately(
    home: Conversation | None, conversations: Sequence[Conversation], at: datetime, rules: Rules
) -> Conversation | None:
    among = conversations if home is None else (home,)
    return next((each for each in among if talk.is_revisable(each, at, rules)), None)


class ReplyStatus(StrEnum):
    """What became of a reply."""

    READ = "read"  #: a conversation took it
    OPT_OUT = "opt-out"
    OPT_IN = "opt-in"
    COURTESY = "courtesy"  #: thanks or a greeting
    NOISE = "noise"  #: nothing in it
    DUPLICATE = "duplicate"  #: the SMSC delivered it again; what it says has taken effect once
    CASE = "case"  #: the customer's own words: a new case
    HELD = "held"  #: too many in a short time
    INBOX = "inbox"  #: a person has to look at it
    RESOLVED = "resolved"  #: a person did


class Why(StrEnum):
    """Why a reply needs a person, or is held back."""

    UNMATCHED = "unmatched"
    LATE = "late"
    INCOMPLETE = "incomplete"
    ERROR = "error"
    FLOOD = "flood"
