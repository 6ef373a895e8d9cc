"""From a wish to a message: template, language, lane, sender, encoding."""

from datetime import timedelta
from typing import Any

import pytest

from gateway.domain.handling import Handling
from gateway.domain.ids import IdSource, made_at
from gateway.domain.message import Lane, Message, OnUnknown, Status
from gateway.domain.msisdn import bucket_of
from gateway.domain.request import Fault, Rejected
from gateway.services.compose import MAX_SEGMENTS, ON_UNKNOWN, Composer, Draft, Sender
from gateway.sms.cutting import PLAIN, Cutting, Join
from tests.services.road import ANNA, START
from tests.services.test_intake import CATALOGUE, SENDERS


@pytest.fixture
def composer() -> Composer:
    return Composer(lambda: CATALOGUE, SENDERS, IdSource(), language="zh-CN")


def compose(composer: Composer, **fields: Any) -> Message:
    made = composer.compose(Draft(to=ANNA, **fields), START)
    assert isinstance(made, Message), made
    return made


def refused(composer: Composer, **fields: Any) -> Rejected:
    made = composer.compose(Draft(to=ANNA, **fields), START)
    assert isinstance(made, Rejected), made
    return made


def test_a_text_goes_as_it_is(composer: Composer) -> None:
    message = compose(composer, text="Hello [you]")
    assert (message.body, message.encoding, message.segments) == ("Hello [you]", "gsm7", 1)
    assert (message.lane, message.sender, message.status) == (Lane.SERVICE, "10086", Status.QUEUED)
    assert message.template is None
    assert message.bucket == message.id.bytes[15] == bucket_of(ANNA)
    assert abs(made_at(message.id) - START) <= timedelta(milliseconds=1)


def test_a_template_gives_text_lane_and_category(composer: Composer) -> None:
    message = compose(
        composer, template="complaint/resolution", params={"text": "已为您关闭。", "question": False}
    )
    assert "已为您关闭。" in message.body
    assert (message.lane, message.category, message.language) == (Lane.TRANSACTIONAL, "complaint", "zh-CN")
    assert message.encoding == "ucs2"


def test_the_callers_lane_outweighs_the_templates(composer: Composer) -> None:
    params = {"text": "x", "question": False}
    message = compose(composer, template="complaint/resolution", params=params, lane=Lane.SERVICE)
    assert message.lane == Lane.SERVICE


@pytest.mark.parametrize(
    ("language", "taken"),
    [
        pytest.param(None, "zh-CN", id="the installation's"),
        pytest.param("en", "en", id="asked for"),
        pytest.param("fr", "zh-CN", id="one that there is not"),
    ],
)
def test_the_language_chooses_the_text(composer: Composer, language: str | None, taken: str) -> None:
    params = {"text": "x", "question": False}
    assert (
        compose(composer, template="complaint/resolution", params=params, language=language).language == taken
    )


@pytest.mark.parametrize("lane", list(Lane))
def test_marketing_is_never_sent_a_second_time(composer: Composer, lane: Lane) -> None:
    message = compose(composer, text="x", lane=lane)
    assert message.on_unknown == ON_UNKNOWN[lane]
    assert (message.on_unknown == OnUnknown.NEVER) == (lane is Lane.MARKETING)
    assert compose(composer, text="x", lane=lane, on_unknown=OnUnknown.NEVER).on_unknown == OnUnknown.NEVER


@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        pytest.param({"template": "complaint/resolutoin"}, "unknown-template", "/template", id="unknown"),
        pytest.param({"template": "complaint/resolution"}, "bad-parameters", "/params/text", id="missing"),
        pytest.param({"text": "长" * 67 * MAX_SEGMENTS + "长"}, "text-too-long", "/text", id="too long"),
    ],
)
def test_what_can_not_be_made_is_refused(
    composer: Composer, fields: dict[str, Any], code: str, pointer: str
) -> None:
    rejected = refused(composer, **fields)
    assert (rejected.code, rejected.status) == (code, 422)
    assert rejected.errors[0].pointer == pointer


def test_an_unknown_template_is_answered_with_the_nearest_and_some_others(composer: Composer) -> None:
    near = refused(composer, template="complaint/resolutoin")
    assert near.errors[0].detail == "is no template; did you mean complaint/resolution?"
    assert near.detail.startswith(
        "There is no template 'complaint/resolutoin'. There are complaint/resolution, "
    )
    far = refused(composer, template="zzz")
    assert far.errors[0].detail == "is no template of this gateway"
    assert "complaint/clarify" in far.detail
    assert far.detail.endswith(" others.")


def test_touchpoints_are_the_surveys_that_ask(composer: Composer) -> None:
    assert {"counter", "hotline", "thanks"} <= set(composer.touchpoints([]))
    assert "thanks" not in composer.touchpoints(["survey/thanks"])
    assert "resolution" not in composer.touchpoints([])


def test_the_longest_text_that_goes(composer: Composer) -> None:
    assert compose(composer, text="长" * 67 * MAX_SEGMENTS).segments == MAX_SEGMENTS


@pytest.mark.parametrize(
    ("name", "number"),
    [
        pytest.param(None, "10086", id="the default"),
        pytest.param("plain", "10010", id="by name"),
        pytest.param("10010", "10010", id="by number"),
        pytest.param("95555", None, id="not ours"),
    ],
)
def test_senders(composer: Composer, name: str | None, number: str | None) -> None:
    found = composer.sender(name)
    assert (found.number if isinstance(found, Sender) else None) == number


def test_a_time_ahead_makes_it_scheduled(composer: Composer) -> None:
    later = START + timedelta(hours=1)
    assert compose(composer, text="x", due_at=later)[14:17] == (Status.SCHEDULED, None, later)
    assert compose(composer, text="x", due_at=START - timedelta(hours=1)).due_at is None


def test_a_message_expires_as_the_settings_say_unless_it_says_itself() -> None:
    composer = Composer(
        lambda: CATALOGUE, SENDERS, IdSource(), language="zh-CN", valid_for=timedelta(hours=6)
    )
    later = START + timedelta(hours=3)
    assert compose(composer, text="x").expires_at == START + timedelta(hours=6)
    assert compose(composer, text="x", due_at=later).expires_at == later + timedelta(hours=6)
    assert compose(composer, text="x", expires_at=later).expires_at == later


def test_a_text_is_measured_as_its_route_will_cut_it() -> None:
    asked: list[tuple[str, str, str]] = []

    def estimate(to: str, sender: str, lane: str) -> Cutting:
        asked.append((to, sender, lane))
        return Cutting(join=Join.UDH16) if sender == "10010" else PLAIN

    composer = Composer(lambda: CATALOGUE, SENDERS, IdSource(), language="zh-CN", estimate=estimate)
    text = "好" * 134
    assert compose(composer, text=text).segments == 2
    assert compose(composer, text=text, sender="10010", lane=Lane.SURVEY).segments == 3
    assert asked == [(ANNA, "10086", Lane.SERVICE), (ANNA, "10010", Lane.SURVEY)]


def test_what_the_smsc_keeps_expires_from_then_on(composer: Composer) -> None:
    at = START + timedelta(days=3)
    message = compose(composer, text="x", handling=Handling(deliver_at=at))
    assert message.expires_at == at + timedelta(hours=48)
    assert message.handling == Handling(deliver_at=at).written()
    assert compose(composer, text="x", handling=Handling()).handling is None


def test_what_the_smsc_would_keep_beyond_its_validity_is_refused(composer: Composer) -> None:
    at = START + timedelta(hours=2)
    told = refused(composer, text="x", handling=Handling(deliver_at=at), expires_at=at)
    assert [fault.pointer for fault in told.errors] == ["/handling/deliver_at"]


def test_what_no_route_can_do_is_refused() -> None:
    def unable(to: str, sender: str, lane: str, handling: Handling) -> str:
        assert (to, sender, lane) == (ANNA, "10086", Lane.SERVICE)
        return "this SMSC keeps nothing until later" if handling.deliver_at else ""

    composer = Composer(lambda: CATALOGUE, SENDERS, IdSource(), language="zh-CN", unable=unable)
    told = refused(composer, text="x", handling=Handling(deliver_at=START + timedelta(hours=2)))
    assert told.errors == (Fault("/handling/deliver_at", "can't be: this SMSC keeps nothing until later"),)
    assert compose(composer, text="x", handling=Handling(flash=True)).handling
