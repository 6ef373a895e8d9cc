"""What a confirmation asks of a reply beside its words: octets, the prompt's log, how often others agreed."""

from collections.abc import Mapping, Sequence

from gateway.domain import confirmation
from gateway.domain import conversation as talk
from gateway.domain.confirmation import Confirmation
from gateway.domain.conversation import Conversation
from gateway.domain.given import Heard
from gateway.domain.routing import Route
from gateway.domain.rulebook import Rules
from gateway.domain.testimony import Octets, carried
from gateway.services.lately import Lately
from gateway.services.parts import Whole
from gateway.storage import messages as message_rows
from gateway.storage.database import Connection
from gateway.storage.replies import Part


class Hearing:
    """Tells confirmations how a reply came."""

    def __init__(self) -> None:
        self._agreed = Lately()  # answers to confirmations, by service

    def of(
        self,
        whole: Whole,
        found: Route,
        conversations: Sequence[Conversation],
        logs: message_rows.Logs,
        rules: Rules,
    ) -> Heard | None:
        """What is known of a reply that goes to a confirmation; None: it goes elsewhere."""
        about = found.conversation
        if not isinstance(about, Confirmation):
            return None
        sent = logs.get(about.message_id) if about.message_id is not None else None
        agreed, by_all = self._volume(whole, about, conversations, rules)
        return Heard(
            address=whole.address,
            octets=tuple(map(_octets, whole.parts)),
            sent=carried(*sent) if sent is not None else None,
            alone=found.alone,
            garbled=any(part.ill_formed for part in whole.parts),
            agreed=agreed,
            agreed_by_all=by_all,
        )

    def _volume(
        self, whole: Whole, about: Confirmation, conversations: Sequence[Conversation], rules: Rules
    ) -> tuple[int, int]:
        """How often this customer has agreed lately, and how often all have answered for this service."""
        review = rules.confirmations.review
        if review is None or not talk.understands(about, whole.text, rules):
            return 0, 0
        agreed = by_all = 0
        if (mine := review.more_than) is not None:
            agreed = confirmation.agreed_lately(about, conversations, whole.received_at - mine.within)
        if (all_ := review.more_than_for_service) is not None:
            by_all = self._agreed.count(about.subject.service.code, about.id, whole.received_at, all_.within)
        return agreed, by_all


async def prompts(connection: Connection, recent: Mapping[str, Sequence[Conversation]]) -> message_rows.Logs:
    """The questions of customers' pending confirmations, with what became of them so far."""
    asked = [
        (each.bucket, each.message_id)
        for conversations in recent.values()
        for each in conversations
        if isinstance(each, Confirmation)
        and each.status is confirmation.Status.PENDING
        and each.message_id is not None
    ]
    return await message_rows.logs(connection, asked) if asked else {}


def _octets(part: Part) -> Octets:
    return Octets(
        received_at=part.received_at,
        route=part.route,
        payload=part.payload.hex(),
        data_coding=part.data_coding,
        esm_class=part.esm_class,
        number=part.number,
        total=part.total,
        redelivery=part.redelivery,
    )
