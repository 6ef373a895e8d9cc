"""The templates that ship: all there, in all languages, clean, and right on every scale."""

from pathlib import Path

import pytest

from gateway.domain.template import Template, load
from gateway.domain.template_lint import example_params, lint
from gateway.sms.segment import measure

CATALOGUE = load(Path(__file__).parents[2] / "templates" / "sms")
LANGUAGES = ("zh-CN", "zh-TW", "en")
COMPLAINT = ("received", "resolution", "resolution-vip", "low-score", "clarify", "thanks", "follow-up")
SURVEY = ("hotline", "counter", "manager", "reminder", "clarify", "help", "thanks", "low-score")
CONTACT = ("opted-out", "opted-in")
NAMES = [
    *(f"complaint/{name}" for name in COMPLAINT),
    *(f"survey/{name}" for name in SURVEY),
    *(f"contact/{name}" for name in CONTACT),
]
SCALED = sorted({name for (name, _), each in CATALOGUE.templates.items() if "scale" in each.head.parameters})
TOP = {"ten": "10", "five": "5", "three": "3"}


def shipped(name: str, language: str) -> Template:
    found = CATALOGUE.get(name, language)
    assert found is not None
    assert found.language == language
    return found


def rendered(found: Template, **params: object) -> str:
    text = found.render(params)
    assert isinstance(text, str), text
    return text


def test_no_file_has_a_fault() -> None:
    assert [str(fault) for fault in CATALOGUE.faults] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_each_ships_in_each_language_and_lints_clean(name: str, language: str) -> None:
    found = shipped(name, language)
    assert lint(found) == []
    text = rendered(found, **example_params(found))
    assert text.startswith("[Huiyin] " if language == "en" else "【回音通信】")
    assert measure(text).encoding == ("gsm7" if language == "en" else "ucs2")
    assert not any(brace in text for brace in "{}")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("scale", ["ten", "five", "three"])
@pytest.mark.parametrize("name", SCALED)
def test_question_names_its_scale(name: str, language: str, scale: str) -> None:
    found = shipped(name, language)
    params = {key: each.example for key, each in found.head.parameters.items() if each.required}
    text = rendered(found, **{**params, "scale": scale})
    assert TOP[scale] in text
    assert ("10" in text.removeprefix(str(params.get("text", "")))) == (scale == "ten")
    words = {
        "zh-CN": ("1满意", "2一般", "3不满意"),
        "zh-TW": ("1滿意", "2普通", "3不滿意"),
        "en": ("1 (satisfied)",),
    }
    assert all((word in text) == (scale == "three") for word in words[language])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["complaint/resolution", "complaint/resolution-vip", "complaint/follow-up"])
def test_resolution_is_sent_without_a_question_too(name: str, language: str) -> None:
    text = rendered(shipped(name, language), text="已处理。", question=False)
    assert text.endswith("已处理。")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_chinese_is_written_in_the_script_of_its_readers(name: str, language: str) -> None:
    source = shipped(name, language).source
    simplified, traditional = set("满评复处为问题户务诉数将尽联"), set("滿評復處為問題戶務訴數將盡聯")
    assert not set(source) & ((simplified - traditional) if language == "zh-TW" else set())
    assert not set(source) & ((traditional - simplified) if language == "zh-CN" else set())
    if language == "en":
        assert source.isascii()


def test_usual_resolution_takes_two_segments() -> None:
    text = rendered(
        shipped("complaint/resolution", "zh-CN"),
        ticket="TS-20261122-0001",
        text="您上月流量 213MB，其中 180MB 为夜间自动更新产生，已为您关闭后台更新。",
    )
    assert measure(text) == ("ucs2", 2)
