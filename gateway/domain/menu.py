"""The machine behind 0000: a list of what the customer subscribes to, and one cancellation call for each
number that is sent back. `TRANSITIONS` says what may happen to a list; what was asked for goes on after its
end."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from gateway.domain.choice import FIRST, All, Choice, Chosen, More, Unclear, Word, agrees, read_choice
from gateway.domain.effect import Announce, CallOut, Effect, Inbox, Reply, SetTimer, Unsubscribe
from gateway.domain.given import (
    CallBack,
    CallDone,
    CallFailed,
    Cancel,
    Given,
    Judged,
    PromptFailed,
    Reminder,
    ReplyText,
    Superseded,
    TimeUp,
    Verdict,
)
from gateway.domain.menu_state import (
    CANCEL,
    CLOSED,
    TOUCHPOINT,
    TRANSITIONS,
    WAITING,
    Cancellation,
    Happening,
    Item,
    Menu,
    MenuRules,
    MenuTemplates,
    Progress,
    State,
    Status,
    Subject,
    Why,
    report,
)
from gateway.domain.subscription import Status as SubscriptionStatus
from gateway.domain.subscription import Subscription, is_active

__all__ = [
    "CANCEL",
    "CLOSED",
    "TOUCHPOINT",
    "TRANSITIONS",
    "WAITING",
    "Cancellation",
    "Happening",
    "Item",
    "Menu",
    "MenuRules",
    "MenuTemplates",
    "Progress",
    "State",
    "Status",
    "Subject",
    "Why",
    "begun",
    "is_remembered",
    "is_waiting",
    "listed",
    "report",
    "step",
    "understands",
]

Stepped = tuple[Menu, list[Effect]]

#: What the customer is told of several services is cut here: nobody has so many.
MAX_NAMED: Final = 100
#: So many are named in one text, for a receipt that is too long to be sent is none.
SOME: Final = 8


def listed(subscriptions: Iterable[Subscription], now: datetime, zone: ZoneInfo) -> tuple[Item, ...]:
    """What of a customer's subscriptions is listed, in the order in which they began."""
    return tuple(
        Item(
            service=each.service,
            name=each.name,
            price=str(each.price),
            period=each.period,
            trial=each.trial,
            expires=each.expires_at.astimezone(zone).date().isoformat() if each.expires_at else None,
            source=each.source,
        )
        for each in subscriptions
        if is_active(each, now)
    )[:MAX_NAMED]


def begun(menu: Menu, word: Word, rules: MenuRules) -> Stepped:
    """A new list, and what follows from it: with 00000 the customer is asked at once whether all may go."""
    say = rules.templates
    if not menu.subject.items:
        return menu._replace(status=Status.EMPTY), [Reply(say.none, owed=True)]
    timer = SetTimer(menu.expires_at)
    if word is Word.ALL:
        return menu._replace(status=Status.CONFIRMING), [_ask_all(menu, rules), timer]
    after, effects = _page(menu, rules)
    return after, [*effects, timer]


def is_waiting(menu: Menu, at: datetime) -> bool:
    """Whether a number that comes at this time counts."""
    return menu.status in WAITING and at <= menu.expires_at


def is_remembered(menu: Menu, at: datetime, rules: MenuRules) -> bool:
    """Whether a number that comes at this time is told that the list is over."""
    return bool(menu.subject.items) and menu.opened_at <= at <= menu.expires_at + rules.remembered


def understands(menu: Menu, text: str) -> bool:
    """Whether the text is a clear answer to this list as it stands."""
    return isinstance(_read(menu, text), Happening | Chosen)


def step(menu: Menu, given: Given, now: datetime, rules: MenuRules) -> Stepped:
    """The list after an input, and what is to be done; the same object when nothing happened."""
    match given:
        case ReplyText():
            return _heard(menu, given, now, rules)
        case CallDone(connector, _, key) if connector == CANCEL:
            about = _about(menu, key)
            return (menu, []) if about is None else _done(menu, about, now, rules)
        case CallFailed(connector, reason, key) if connector == CANCEL:
            about = _about(menu, key)
            return (menu, []) if about is None else _failed(menu, about, reason, now, rules)
        case Reminder():
            return _look(menu, now, rules)
        case TimeUp():
            return _look(_moved(menu, Happening.OVERDUE), now, rules)
        case Superseded():
            return _moved(menu, Happening.SUPERSEDED), []
        case Cancel(reason):
            after = _moved(menu, Happening.WITHDRAWN)
            changed = after.status is not menu.status
            return (after._replace(state=replace(after.state, reason=reason)) if changed else menu), []
        case CallDone() | CallFailed() | PromptFailed() | Verdict() | Judged() | CallBack():
            return menu, []


def _moved(menu: Menu, happening: Happening) -> Menu:
    status = TRANSITIONS[menu.status, happening]
    return menu if status is menu.status else menu._replace(status=status)


# --- What the customer writes ----------------------------------------------------------------------------


def _read(menu: Menu, text: str) -> Happening | Chosen | Unclear:
    """What a text says to the list as it stands."""
    names = [item.name for item in menu.subject.items]
    choice: Choice = read_choice(text, names, menu.state.shown)
    match choice:
        case Chosen():
            return choice
        case All():
            return Happening.ALL
        case More() if menu.state.shown < len(names):
            return Happening.PAGED
    if menu.status is Status.CONFIRMING and (agreed := agrees(text)) is not None:
        return Happening.AGREED if agreed else Happening.REFUSED
    return choice if isinstance(choice, Unclear) else Unclear()


def _heard(menu: Menu, given: ReplyText, now: datetime, rules: MenuRules) -> Stepped:
    say = rules.templates
    if not is_waiting(menu, now):
        return menu, [Reply(say.over)]
    read = _read(menu, given.text)
    again = (
        read is Happening.ALL and menu.status is Status.CONFIRMING
    )  # all is not agreed to by saying it twice
    if isinstance(read, Unclear) or again or given.elsewhere:
        return _unclear(menu, given, rules)
    if menu.state.asked_again:
        menu = menu._replace(state=replace(menu.state, asked_again=False))
    match read:
        case Chosen(places):
            return _cancel(_moved(menu, Happening.CHOSEN), places, given.reply_id, now, rules)
        case Happening.ALL:
            return _moved(menu, Happening.ALL), [_ask_all(menu, rules)]
        case Happening.AGREED:
            every = range(len(menu.subject.items))
            return _cancel(_moved(menu, Happening.AGREED), every, given.reply_id, now, rules)
        case Happening.PAGED:
            return _page(_moved(menu, Happening.PAGED), rules)
        case _:
            return _moved(menu, Happening.REFUSED), [Reply(say.kept, owed=True)]


def _unclear(menu: Menu, given: ReplyText, rules: MenuRules) -> Stepped:
    """Asked once more, in one SMS; then a person looks at it. Who asks for a person gets one at once."""
    after = _moved(menu, Happening.UNCLEAR)
    if given.asks_for_help:
        return after, [Inbox(given.reply_id, Why.ASKS_FOR_HELP)]
    if menu.state.asked_again:
        return after, [Inbox(given.reply_id, Why.NOT_UNDERSTOOD)]
    after = after._replace(state=replace(after.state, asked_again=True))
    return after, [_ask_again(menu, given, rules)]


def _ask_again(menu: Menu, given: ReplyText, rules: MenuRules) -> Reply:
    choice = _read(menu, given.text)
    if given.elsewhere and isinstance(choice, Chosen) and len(choice.places) == 1:
        return Reply(rules.templates.which, {"number": choice.places[0] + FIRST})
    if given.elsewhere and choice is Happening.ALL:
        return Reply(rules.templates.which, {"number": 1})
    return Reply(rules.templates.clarify, {"all": menu.status is Status.CONFIRMING})


def _page(menu: Menu, rules: MenuRules) -> Stepped:
    """The next page of the list."""
    items, first = menu.subject.items, menu.state.shown
    shown = min(first + rules.page, len(items))
    year = menu.opened_at.year
    rows = [
        _given(
            number=number,
            name=item.name,
            price=item.price,
            period=item.period,
            trial=item.trial,
            expires=item.expires,
            later_year=item.expires is not None and not item.expires.startswith(str(year)),
        )
        for number, item in enumerate(items[first:shown], first + FIRST)
    ]
    params = {"total": len(items), "first": first == 0, "more": shown < len(items), "services": rows}
    after = menu._replace(state=replace(menu.state, shown=shown))
    return after, [Reply(rules.templates.list, params, owed=True)]


def _ask_all(menu: Menu, rules: MenuRules) -> Reply:
    left = [item.name for item in menu.subject.items if _about(menu, item.service) is None]
    names = left or [item.name for item in menu.subject.items]
    params = {"total": len(names), "more": len(names) > SOME, "services": _named(names[:SOME])}
    return Reply(rules.templates.all, params, owed=True)


# --- What the platform answers ---------------------------------------------------------------------------


def _cancel(menu: Menu, places: Iterable[int], reply_id: UUID, now: datetime, rules: MenuRules) -> Stepped:
    """One call for each that was not yet asked for; what was is told again, and nothing changes."""
    items = [menu.subject.items[place] for place in places]
    fresh = [item for item in items if _about(menu, item.service) is None]
    if not fresh:
        services = {item.service for item in items}
        about = [each for each in menu.state.cancellations if each.service in services]
        return menu, [_receipt(menu, about, rules, owed=False)]
    made = tuple(Cancellation(service=item.service, reply_id=reply_id, asked_at=now) for item in fresh)
    state = replace(menu.state, cancellations=(*menu.state.cancellations, *made))
    effects: list[Effect] = [Unsubscribe(item.service, SubscriptionStatus.CANCELLING) for item in fresh]
    effects += [
        CallOut(CANCEL, report(menu, item, one), key=item.service)
        for item, one in zip(fresh, made, strict=True)
    ]
    return menu._replace(state=state), [*effects, SetTimer(now + rules.patience)]


def _about(menu: Menu, service: str) -> Cancellation | None:
    return next((each for each in menu.state.cancellations if each.service == service), None)


def _done(menu: Menu, before: Cancellation, now: datetime, rules: MenuRules) -> Stepped:
    """Cancelled; also one that had failed and was sent again by hand."""
    if before.progress is Progress.DONE:
        return menu, []
    about = replace(before, progress=Progress.DONE, settled_at=now, reason=None, told=False)
    item = next(item for item in menu.subject.items if item.service == about.service)
    effects: list[Effect] = [
        Unsubscribe(about.service),
        Announce("subscription.cancelled", report(menu, item, about)),
    ]
    return _settled(_with(menu, [about]), about, effects, rules)


def _failed(menu: Menu, before: Cancellation, reason: str, now: datetime, rules: MenuRules) -> Stepped:
    """The platform refused, or was not to be reached: a person has to see to it."""
    if before.progress is not Progress.ASKED:
        return menu, []
    about = replace(before, progress=Progress.FAILED, settled_at=now, reason=reason)
    effects: list[Effect] = [
        Unsubscribe(about.service, SubscriptionStatus.ACTIVE),
        Inbox(about.reply_id, f"{Why.NOT_CANCELLED}: {about.service}: {reason}"),
    ]
    return _settled(_with(menu, [about]), about, effects, rules)


def _settled(menu: Menu, about: Cancellation, effects: Sequence[Effect], rules: MenuRules) -> Stepped:
    """One receipt for all that one reply asked for, when the last of it is answered."""
    together = [each for each in menu.state.cancellations if each.reply_id == about.reply_id]
    if any(each.progress is Progress.ASKED for each in together):
        return menu, [*effects]
    return _tell(menu, [each for each in together if not each.told], rules, effects)


def _look(menu: Menu, now: datetime, rules: MenuRules) -> Stepped:
    """Who has waited long enough hears what is done, and that the rest takes longer: once."""
    waited = [each for each in menu.state.cancellations if each.asked_at + rules.patience <= now]
    due = [each for each in waited if not (each.promised if each.progress is Progress.ASKED else each.told)]
    return _tell(menu, due, rules) if due else (menu, [])


def _tell(
    menu: Menu, about: Sequence[Cancellation], rules: MenuRules, effects: Sequence[Effect] = ()
) -> Stepped:
    told = [
        replace(each, promised=True) if each.progress is Progress.ASKED else replace(each, told=True)
        for each in about
    ]
    return _with(menu, told), [*effects, _receipt(menu, about, rules, owed=True)]


def _with(menu: Menu, changed: Iterable[Cancellation]) -> Menu:
    new = {each.service: each for each in changed}
    cancellations = tuple(new.get(each.service, each) for each in menu.state.cancellations)
    return menu._replace(state=replace(menu.state, cancellations=cancellations))


def _receipt(menu: Menu, about: Sequence[Cancellation], rules: MenuRules, *, owed: bool) -> Reply:
    names = {item.service: item.name for item in menu.subject.items}
    params = {}
    for progress in Progress:
        named = [names[each.service] for each in about if each.progress is progress]
        params[progress.value] = _named(named[:SOME] + ["..."] * (len(named) > SOME))
    return Reply(rules.templates.receipt, params, owed=owed)


def _named(names: Iterable[str]) -> list[dict[str, Any]]:
    return [{"name": name} for name in names]


def _given(**values: Any) -> dict[str, Any]:
    """What there is to say: a template's parameter that is not given is not said."""
    return {name: value for name, value in values.items() if value is not None}
