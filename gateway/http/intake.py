"""What the intake gives back, as an answer: accepted, rejected, the first answer again, or a conflict."""

from typing import Any, Final

import msgspec

from gateway.domain.request import Accepted, Asked, Rejected
from gateway.http.exchange import JSON, Answer
from gateway.http.problem import IDEMPOTENCY_CONFLICT, PROBLEM_JSON, STILL_RUNNING, problem, rejection
from gateway.services.intake import Conflict, Replay

_encode = msgspec.json.Encoder().encode

REPLAYED: Final = {"Idempotency-Replayed": "true"}


def render(outcome: Accepted | Asked | Rejected) -> tuple[int, bytes]:
    """Status and body for one outcome: what is stored for a replay is what is sent."""
    if isinstance(outcome, Accepted | Asked):
        return 202, _encode(outcome)
    answer = rejection(outcome)
    return answer.status, answer.body


def answer(outcome: Accepted | Asked | Rejected | Replay | Conflict) -> Answer:
    """The answer for one outcome."""
    if isinstance(outcome, Replay | Conflict):
        return repeated(outcome)
    return finished(*render(outcome))


def finished(status: int, body: bytes) -> Answer:
    """A rendered outcome as the answer that carries it."""
    return Answer(status, body, JSON if status < 400 else PROBLEM_JSON)


def repeated(outcome: Replay | Conflict) -> Answer:
    """The answer to a call whose Idempotency-Key was used before."""
    if isinstance(outcome, Replay):
        return finished(outcome.http_status, outcome.body)._replace(headers=REPLAYED)
    if outcome is Conflict.OTHER_BODY:
        return problem(IDEMPOTENCY_CONFLICT, "The first request with this Idempotency-Key had another body.")
    return problem(STILL_RUNNING, "Wait for its answer, then send this again.", headers={"Retry-After": "1"})


def as_json(value: Any) -> bytes:
    """A value of ours as JSON."""
    return _encode(value)
