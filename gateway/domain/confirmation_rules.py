"""The rules for paid confirmations, as `rules/confirmations.yaml` writes them."""

from decimal import Decimal
from functools import cached_property

import msgspec

from gateway.domain.rules import Duration
from gateway.domain.subscription import Price
from gateway.domain.survey_rules import AtMost, TemplateName


class Review(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True):
    """Which yes waits for a person before anything is activated: above a price, and only if it looks odd."""

    above: Price = "10.00"
    quicker_than: Duration | None = Duration(seconds=2)  #: after the prompt was submitted
    more_than: AtMost | None = AtMost(5, Duration(hours=1))  #: yes of one number
    more_than_for_service: AtMost | None = AtMost(1000, Duration(minutes=10))  #: yes to one service

    @cached_property
    def limit(self) -> Decimal:
        """The price above which a yes is looked at."""
        return Decimal(self.above)


class Templates(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What customers are asked and answered."""

    prompt: TemplateName = "confirmation/confirm"
    clarify: TemplateName = "confirmation/clarify"
    declined: TemplateName = "confirmation/declined"
    standing: TemplateName = "confirmation/standing"
    active: TemplateName = "confirmation/active"
    failed: TemplateName = "confirmation/failed"
    cancelling: TemplateName = "confirmation/cancelling"
    cancelled: TemplateName = "confirmation/cancelled"
    not_cancelled: TemplateName = "confirmation/not-cancelled"


class ConfirmationRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How customers are asked whether they want what costs money."""

    expires_in: Duration = Duration(hours=24)
    retract_within: Duration = Duration(hours=1)  #: a no after a yes is a wish to be rid of it again
    review: Review | None = Review()  #: null: no yes waits for a person
    templates: Templates = Templates()
