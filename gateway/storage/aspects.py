"""What reports and lists look at in a survey `c` of `conversations`, as SQL: one wording for both.

What nobody wrote down is left out of the JSON: no revisions, not low, by nobody.
"""

from typing import Final

from gateway.domain.timeliness import BACKWARDS, MOST_HOURS

DEPARTMENT: Final = "c.subject ->> 'department'"
TYPE: Final = "c.subject #>> '{ticket,type}'"
AGENT: Final = "c.subject ->> 'agent'"
SCALE: Final = "c.subject ->> 'scale'"
REASON: Final = "c.state ->> 'reason'"
SCORE: Final = "(c.state #>> '{revisions,-1,score}')::smallint"
LOW: Final = "coalesce((c.state -> 'low')::boolean, false)"
FOLLOWED_UP: Final = "coalesce((c.state -> 'followed_up')::boolean, false)"
REVISED: Final = "coalesce(jsonb_array_length(c.state -> 'revisions') > 1, false)"
BY_PERSON: Final = "c.state #>> '{revisions,-1,by}' IS NOT NULL"

_DISPATCHED: Final = "(c.subject #>> '{ticket,dispatched_at}')::timestamptz"
_ANSWERED: Final = "(c.subject #>> '{ticket,answered_at}')::timestamptz"
#: As domain/timeliness.hours_begun measures. `least` ignores nulls, so an unknown time goes first.
HOURS: Final = f"""
CASE WHEN {_ANSWERED} IS NULL OR {_DISPATCHED} IS NULL THEN NULL
     WHEN {_ANSWERED} < {_DISPATCHED} THEN {BACKWARDS}
     ELSE least(ceil(extract(epoch FROM {_ANSWERED} - {_DISPATCHED}) / 3600), {MOST_HOURS})
END::smallint""".strip()
