"""A message's way in words."""

from datetime import timedelta

from gateway.app.explaining import lines
from gateway.domain.handling import Handling
from gateway.domain.message import Event, Message, Status, Step
from gateway.services.flights import SENDER_REFUSED
from gateway.services.lookups import MessageRecord
from tests.services.road import START, message_to


def told(message: Message, *steps: Step) -> list[str]:
    return list(lines("msg_1", MessageRecord(message=message, steps=steps)))


def step(seq: int, kind: Event, status: Status, segment: int | None = 1, **fields: object) -> Step:
    at = START + timedelta(seconds=seq)
    return Step(1, message_to().id, seq, at, kind, status, segment, 1, **fields)  # type: ignore[arg-type]


def test_the_way_of_a_long_text_is_told_with_route_cut_and_parts() -> None:
    detail = "sar/2 silent"
    said = told(
        message_to(body="您好" * 50),
        step(1, Event.ATTEMPT, Status.SUBMITTING, 2, route="spare", detail=detail),
        step(2, Event.ATTEMPT, Status.SUBMITTING, 1, route="spare", detail="sar/2"),
        step(3, Event.ACCEPTED, Status.SUBMITTING, 2, route="spare", smsc_id="a1"),
        step(4, Event.SUBMITTED, Status.SUBMITTED, 1, route="spare", smsc_id="a2"),
        step(5, Event.DELIVERED, Status.DELIVERED, 1, route="spare", smsc_id="a2", reason="delivered 000"),
    )
    assert said[0] == "msg_1: delivered"
    assert "attempt part 2 of 2 → submitting, by spare, cut into 2, joined by sar_* parameters" in said[3]
    assert said[3].endswith("no receipt asked for with this part")
    assert said[-2:] == [
        "  part 1 of 2: delivered, by spare, id a2",
        "  part 2 of 2: with it, by spare, id a1",
    ]


def test_refusals_are_told_in_words_with_their_pause() -> None:
    said = told(
        message_to(),
        step(1, Event.ATTEMPT, Status.SUBMITTING, route="main"),
        step(
            2,
            Event.DEFERRED,
            Status.RETRYING,
            route="main",
            command_status=0x14,
            reason="ESME_RMSGQFUL",
            detail=(START + timedelta(seconds=32)).isoformat(),
        ),
        step(3, Event.REFUSED, Status.FAILED, route="main", command_status=0x0B, reason="ESME_RINVDSTADR"),
    )
    assert "0x14 ESME_RMSGQFUL: " in said[4]
    assert said[4].endswith("after 30 s")
    assert "0x0B ESME_RINVDSTADR: " in said[5]


def test_a_message_held_because_of_its_sender_says_so() -> None:
    at = (START + timedelta(seconds=2)).isoformat()
    reason = f"{SENDER_REFUSED}: ESME_RINVSRCADR"
    said = told(
        message_to(), step(2, Event.DEFERRED, Status.RETRYING, command_status=0x0A, reason=reason, detail=at)
    )
    assert reason in said[-1]
    assert said[-1].endswith("waits until the SMSC takes this sender again")


def test_what_was_asked_for_is_told_without_values() -> None:
    handling = Handling(flash=True, priority=2, deliver_at=START, parameters={0x0381: b"13905310001"})
    said = told(message_to(handling=handling.written()))
    assert said[2].startswith("  asked for: flash, priority 2, kept by the SMSC until ")
    assert said[2].endswith("parameter 0x0381")
    assert "13905310001" not in "".join(said)
