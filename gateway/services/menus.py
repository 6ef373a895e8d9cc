"""0000 answered: what a customer subscribes to, listed from an extension of its own where there are some."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gateway.domain import given, menu
from gateway.domain.address import split_address
from gateway.domain.choice import Word, read_word
from gateway.domain.conversation import Conversation, Kind
from gateway.domain.menu import Menu
from gateway.domain.opening import choose_extension
from gateway.domain.policy import NOBODY_KNOWN, Standing
from gateway.domain.subscription import Subscription
from gateway.services.changes import Changes
from gateway.services.parts import Whole
from gateway.storage import contacts as contact_rows
from gateway.storage import subscriptions as subscription_rows
from gateway.storage.database import Connection


class Mirror(NamedTuple):
    """What one transaction has read of those who sent 0000, by MSISDN."""

    subscriptions: Mapping[str, Sequence[Subscription]]
    standings: Mapping[str, Standing]


NOTHING: Mirror = Mirror({}, {})


async def read(connection: Connection, wholes: Sequence[Whole]) -> Mirror:
    """What those of these customers subscribe to who ask for it. Of most batches nobody does."""
    asking = {(whole.bucket, whole.msisdn) for whole in wholes if read_word(whole.text) is not None}
    if not asking:
        return NOTHING
    customers = sorted(asking)
    return Mirror(
        await subscription_rows.of(connection, customers), await contact_rows.standings(connection, customers)
    )


def open_list(
    whole: Whole,
    mirror: Mirror,
    conversations: Sequence[Conversation],
    changes: Changes,
    senders: Mapping[str, int],
) -> list[Conversation]:
    """Answer 0000 or 00000; the customer's conversations as they are afterwards, the new list first."""
    now, rules = whole.received_at, changes.rules
    before = [
        changes.move(each, given.Superseded(), now)
        if isinstance(each, Menu) and each.status in menu.WAITING
        else each
        for each in conversations
    ]
    uid = changes.new_id(whole.bucket)
    items = menu.listed(mirror.subscriptions.get(whole.msisdn, ()), now, rules.zone)
    address = _address(whole, before, senders, uid.int) if items else _number(whole, senders)
    new = Menu(
        whole.bucket,
        uid,
        Kind.MENU,
        whole.msisdn,
        address,
        menu.TOUCHPOINT,
        None,
        menu.Status.OPEN,
        now,
        now + rules.menus.holds,
        None,
        menu.Subject(
            reply_id=whole.reply_id,
            items=items,
            language=mirror.standings.get(whole.msisdn, NOBODY_KNOWN).language,
        ),
        menu.State(),
        1,
    )
    opened, effects = menu.begun(new, read_word(whole.text) or Word.LIST, rules.menus)
    return [changes.open(opened, effects), *before]


def _number(whole: Whole, senders: Mapping[str, int]) -> str:
    """The access number that the customer wrote to, without the extension."""
    ours = split_address(whole.address, senders)
    return whole.address if ours is None else ours.number


def _address(
    whole: Whole, conversations: Sequence[Conversation], senders: Mapping[str, int], seed: int
) -> str:
    number = _number(whole, senders)
    return number + choose_extension(number, senders.get(number, 0), conversations, whole.received_at, seed)
