"""Keywords of the business hall: an enquiry for each, unless it was asked a moment ago, or too often."""

from collections.abc import Mapping, Sequence

from gateway.domain import enquiry
from gateway.domain.address import split_address
from gateway.domain.conversation import Conversation, Kind
from gateway.domain.enquiry import Enquiry
from gateway.domain.policy import NOBODY_KNOWN, Standing
from gateway.domain.rulebook import Rules
from gateway.services.changes import Changes
from gateway.services.parts import Whole
from gateway.storage import contacts as contact_rows
from gateway.storage.database import Connection

Standings = Mapping[str, Standing]  #: by MSISDN

_NOBODY: Standings = {}


async def read(connection: Connection, wholes: Sequence[Whole], rules: Rules) -> Standings:
    """What is known of those of these customers who ask for something. In most batches nobody does."""
    asking = {(each.bucket, each.msisdn) for each in wholes if rules.keywords.find(each.text) is not None}
    return await contact_rows.standings(connection, sorted(asking)) if asking else _NOBODY


def open_enquiry(
    whole: Whole,
    entry: str,
    standings: Standings,
    conversations: list[Conversation],
    changes: Changes,
    *,
    senders: Mapping[str, int],
) -> Enquiry | None:
    """The enquiry that answers a keyword: a new one, or that of a moment ago. None: too many."""
    now, rules = whole.received_at, changes.rules.keywords
    before = [each for each in conversations if isinstance(each, Enquiry)]
    for each in before:
        if enquiry.repeats(each, entry, now, rules):
            return each
    if enquiry.is_too_much(before, now, rules):
        return None
    ours = split_address(whole.address, senders)
    language = standings.get(whole.msisdn, NOBODY_KNOWN).language
    new = Enquiry(
        whole.bucket,
        changes.new_id(whole.bucket),
        Kind.ENQUIRY,
        whole.msisdn,
        whole.address if ours is None else ours.number,
        enquiry.TOUCHPOINT + entry,
        None,
        enquiry.Status.OPEN,
        now,
        now + rules.answer_within,
        None,
        enquiry.asked(entry, whole.reply_id, whole.text, language, rules),
        enquiry.State(),
        1,
    )
    # One whose time is over, but whose timer is late, still holds the place of its kind.
    for each in before:
        if each.touchpoint == new.touchpoint and each.status is enquiry.Status.OPEN:
            _replace(conversations, changes.move(each, enquiry.OVERDUE, now))
    after, effects = enquiry.opened(new, rules)
    opened = changes.open(after, effects)
    conversations.insert(0, opened)
    assert isinstance(opened, Enquiry)  # noqa: S101 - a step keeps the kind
    return opened


def _replace(conversations: list[Conversation], after: Conversation) -> None:
    conversations[:] = [after if each.id == after.id else each for each in conversations]
