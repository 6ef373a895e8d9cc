"""All rules that customers' words are understood by, as one value, replaced as a whole when read anew."""

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from gateway.domain.case import CaseRules
from gateway.domain.confirmation_rules import ConfirmationRules
from gateway.domain.keywords import Keywords
from gateway.domain.menu import MenuRules
from gateway.domain.reply_rules import ReplyRules
from gateway.domain.survey_rules import Surveys


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All questions share the bare `access_numbers`."""

    surveys: Surveys = field(default_factory=Surveys)
    replies: ReplyRules = field(default_factory=ReplyRules)
    cases: CaseRules = field(default_factory=CaseRules)
    menus: MenuRules = field(default_factory=MenuRules)
    keywords: Keywords = field(default_factory=Keywords)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))  #: of what customers are told
    confirmations: ConfirmationRules = field(default_factory=ConfirmationRules)
    access_numbers: frozenset[str] = frozenset()
