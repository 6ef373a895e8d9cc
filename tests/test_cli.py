"""The command line: its help is quick, its exit status true, its commands find their functions."""

import importlib
import json
import shutil
import subprocess
import sys
import types
from pathlib import Path

import pytest

from gateway import cli
from gateway.cli.commands import COMMANDS, Command
from gateway.config import Settings, explain, load, read_files, shipped


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HUIYIN_CONFIG", raising=False)
    return tmp_path


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> types.SimpleNamespace:
    """A stand-in for what carries the commands out; notes what it was given."""
    seen = types.SimpleNamespace(args=None, settings=None)

    async def serve(args: object, settings: Settings) -> int:
        seen.args, seen.settings = args, settings
        return 1

    module = types.ModuleType("gateway.app")
    module.__dict__.update(serve=serve, demo=serve, key_create=serve, send=serve, explain=serve)
    monkeypatch.setitem(sys.modules, "gateway.app", module)
    return seen


def test_help_imports_nothing_heavy() -> None:
    asked = (
        "import sys; from gateway.cli import main; main(['--help']);"
        "print(*sorted({n.partition('.')[0] for n in sys.modules}), file=sys.stderr)"
    )
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert "huiyin" in told.stdout
    heavy = {
        "aiohttp",
        "asyncio",
        "asyncpg",
        "jinja2",
        "msgspec",
        "phonenumbers",
        "rich",
        "structlog",
        "uvloop",
    }
    assert heavy & set(told.stderr.split()) == set()


def test_help_names_every_command_in_two_languages(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    listed = " ".join(capsys.readouterr().out.split())
    for command in COMMANDS:
        if " " not in command.name:
            assert f" {command.name} {command.told} {command.chinese}" in listed


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_each_command_has_help(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*command.name.split(), "--help"]) == 0
    assert command.chinese in capsys.readouterr().out


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("", id="nothing asked"),
        pytest.param("sevre", id="no such command"),
        pytest.param("key", id="half a command"),
        pytest.param("send 13905310001", id="neither text nor template"),
        pytest.param("send 13905310001 --text a --template b", id="both"),
        pytest.param("smsc --listen nowhere", id="no address"),
        pytest.param("demo --http-port 70000", id="no port"),
        pytest.param("preview survey/hotline -p score", id="no parameter"),
    ],
)
def test_wrong_use_is_2(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(line.split()) == 2
    assert "usage: huiyin" in capsys.readouterr().err


def test_a_command_answers_with_its_own_status(app: types.SimpleNamespace) -> None:
    assert cli.main(["serve", "--roles", "api, sender"]) == 1
    assert app.args.roles == ["api", "sender"]


def test_the_configuration_may_be_named_before_or_behind_the_command(
    app: types.SimpleNamespace, empty_folder: Path
) -> None:
    (empty_folder / "my.toml").write_text('[node]\nname = "mine"')
    for line in (["--config", "my.toml", "serve"], ["serve", "--config", "my.toml"]):
        cli.main(line)
        assert app.settings.node.name == "mine"


def test_a_faulty_configuration_stops_a_command_with_all_its_faults(
    app: types.SimpleNamespace, empty_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (empty_folder / "huiyin.toml").write_text("[htp]\n[log]\nlevel = 3")
    assert cli.main(["serve"]) == 1
    assert app.settings is None
    said = capsys.readouterr().err
    assert "htp: unknown; did you mean http?" in said
    assert "log.level: expected one of debug" in said


def test_the_demo_does_not_mind_a_faulty_configuration_beside_it(
    app: types.SimpleNamespace, empty_folder: Path
) -> None:
    (empty_folder / "huiyin.toml").write_text("[htp]")
    assert cli.main(["demo"]) == 1
    assert app.settings == Settings()


def test_parameters_and_scopes_are_taken_apart(app: types.SimpleNamespace) -> None:
    cli.main(["send", "13905310001", "--template", "survey/hotline", "-p", "a=b=c", "-p", "d="])
    assert app.args.params == [("a", "b=c"), ("d", "")]
    cli.main(["key", "create", "--name", "crm", "--scopes", "messages:write,read"])
    assert app.args.scopes == ["messages:write", "read"]


def test_an_unbuilt_command_says_so(app: types.SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["bench"]) == 1
    assert "not in this build" in capsys.readouterr().err


def test_check_explains_the_settings_even_beside_a_faulty_file(
    empty_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (empty_folder / "huiyin.toml").write_text("[htp]")
    assert cli.main(["check", "--explain"]) == 0
    assert capsys.readouterr().out == explain()


def test_check_tells_every_fault_of_configuration_templates_and_rules(
    empty_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (empty_folder / "huiyin.toml").write_text("[htp]")
    bad = empty_folder / "templates" / "sms" / "survey"
    bad.mkdir(parents=True)
    (bad / "bad.zh-CN.j2").write_text("no head")
    rules = empty_folder / "rules"
    rules.mkdir()
    (rules / "surveys.yaml").write_text("scale: ten\nexpires_in: soon\n")
    (rules / "survey.yaml").write_text("")
    assert cli.main(["check", "--json"]) == 1
    faults = json.loads(capsys.readouterr().out)["faults"]
    assert "huiyin.toml:1: htp: unknown; did you mean http?" in faults
    assert any(fault.startswith("templates/sms/survey/bad.zh-CN.j2:1:1: has no head") for fault in faults)
    assert any(fault.startswith("rules/surveys.yaml:2:13: ") for fault in faults)
    assert "rules/survey.yaml: no rules have this name; did you mean surveys.yaml?" in faults


def test_what_is_shipped_is_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"faults": [], "warnings": []}


TEMPLATE = """\
---
title: Greeting
lane: service
owner: care
max_segments: 2
parameters:
  name: {type: text, example: Li}
---
Dear {{ name }}, thank you for calling. {{ signature }}
"""


@pytest.fixture
def template(empty_folder: Path) -> None:
    folder = empty_folder / "templates" / "sms" / "survey"
    folder.mkdir(parents=True)
    (folder / "hello.en.j2").write_text(TEMPLATE)


@pytest.mark.usefixtures("template")
def test_preview_shows_the_text_with_its_price(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["preview", "survey/hello", "--language", "en", "-p", "name=王", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["text"].startswith("Dear 王, thank you")
    assert shown["segments"] == [shown["text"]]
    assert (shown["encoding"], shown["forced_ucs2_by"]) == ("ucs2", ["王"])


@pytest.mark.usefixtures("template")
def test_preview_names_what_forced_ucs2_and_the_price_without_it(capsys: pytest.CaptureFixture[str]) -> None:
    line = ["preview", "survey/hello", "--language", "en", "-p", f"name=O’{'Neill' * 10}"]
    assert cli.main(line) == 0
    told = capsys.readouterr().out
    assert "ucs2, 2 segments" in told
    assert """U+2019 RIGHT SINGLE QUOTATION MARK ×1, first at 7, could be "'\"""" in told
    assert "without: 1 segment\n" in told
    assert cli.main([*line, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["segments_without"] == 1
    assert shown["forced"] == [
        {
            "character": "’",
            "name": "U+2019 RIGHT SINGLE QUOTATION MARK",
            "times": 1,
            "first": 7,
            "folded": "'",
        }
    ]


@pytest.mark.usefixtures("template")
def test_preview_takes_examples_for_what_is_not_given(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["preview", "survey/hello", "--language", "en"]) == 0
    out = capsys.readouterr().out
    assert "gsm7, 1 segment" in out
    assert "│ Dear Li, thank you" in out


CONFIGURATION = """\
[smsc.main]
host = "127.0.0.1"
system_id = "huiyin"
password = "secret"
allow_plaintext = true
profile = "mine"
"""
QUOTED = "It’s " + "x" * 100


@pytest.fixture
def route(empty_folder: Path) -> None:
    """A route of which a profile of our own folds, and leaves the cutting to the SMSC."""
    (empty_folder / "huiyin.toml").write_text(CONFIGURATION)
    folder = empty_folder / "rules" / "smsc"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text("text: {fold: true, join: payload}\n")


@pytest.mark.usefixtures("route")
@pytest.mark.parametrize(
    ("line", "head"),
    [
        pytest.param(["--text", "hello"], "gsm7, 1 segment", id="short"),
        pytest.param(["--text", QUOTED], "ucs2, 2 segments", id="as usual"),
        pytest.param(
            ["--text", QUOTED, "--route", "main"], "route main, profile mine · gsm7, 1 segment", id="folded"
        ),
        pytest.param(
            ["--text", "x" * 170, "--profile", "mine"],
            "profile mine · gsm7, 2 segments on the air, 1 submitted",
            id="cut by the SMSC",
        ),
        pytest.param(["--text", "x" * 170, "--profile", "sar"], "profile sar · gsm7, 2 segments", id="sar"),
    ],
)
def test_preview_shows_any_text_as_a_route_cuts_it(
    line: list[str], head: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["preview", *line]) == 0
    assert capsys.readouterr().out.splitlines()[0] == head


@pytest.mark.usefixtures("template", "route")
def test_preview_shows_a_template_as_a_route_cuts_it(capsys: pytest.CaptureFixture[str]) -> None:
    line = ["preview", "survey/hello", "--language", "en", "-p", "name=O’Neill"]
    assert cli.main([*line, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["encoding"] == "ucs2"
    assert cli.main([*line, "--json", "--route", "main"]) == 0
    assert json.loads(capsys.readouterr().out)["encoding"] == "gsm7"


@pytest.mark.usefixtures("template", "route")
@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param([], "give a template, or any text in --text", id="nothing"),
        pytest.param(["survey/hello", "--text", "a"], "give a template, or any text in --text", id="both"),
        pytest.param(["--text", "a", "-p", "x=1"], "go with a template", id="parameters of a text"),
        pytest.param(
            ["--text", "a", "--route", "mian"], "there is no [smsc.mian]; did you mean main?", id="route"
        ),
        pytest.param(
            ["--text", "a", "--profile", "sarr"], "there is no profile sarr; did you mean sar?", id="p"
        ),
        pytest.param(["--text", "a", "--profile", "sar", "--route", "main"], "give one of the two", id="two"),
    ],
)
def test_preview_that_is_asked_wrongly_says_so(
    line: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["preview", *line]) == 2
    told = capsys.readouterr().err
    assert told.startswith("huiyin preview: ")
    assert said in told


@pytest.mark.usefixtures("route")
def test_a_profile_is_printed_as_its_file_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["profile", "mine"]) == 0
    assert capsys.readouterr().out == "text: {fold: true, join: payload}\n"
    assert cli.main(["profile", "hex-and-decimal"]) == 0
    said = capsys.readouterr()
    assert said.out == (shipped("rules") / "smsc" / "hex-and-decimal.yaml").read_text()
    assert "hex-and-decimal.yaml" in said.err
    assert cli.main(["profile"]) == 0
    names = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["sar", "shipped"] in names
    assert ["mine", "rules/smsc/mine.yaml"] in names
    assert cli.main(["profile", "sarr"]) == 2
    assert capsys.readouterr().err == "huiyin profile: there is no profile sarr; did you mean sar?\n"


@pytest.mark.usefixtures("template")
@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param(["survey/helo"], "did you mean survey/hello?", id="no such template"),
        pytest.param(["survey/hello", "-p", "nam=Li"], "nam: is not a parameter", id="no such parameter"),
    ],
)
def test_preview_says_what_is_wrong(line: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["preview", *line]) == 1
    assert said in capsys.readouterr().err


# --- What would lose scores ------------------------------------------------------------------------------


@pytest.fixture
def own_files(empty_folder: Path) -> Path:
    """The shipped rules and templates beside the configuration, to be changed."""
    shutil.copytree(shipped("rules"), empty_folder / "rules")
    shutil.copytree(shipped("templates"), empty_folder / "templates")
    return empty_folder


def checked(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The faults that `check` tells, and that a start would stumble over as well."""
    capsys.readouterr()
    status = cli.main(["check", "--json"])
    faults: list[str] = json.loads(capsys.readouterr().out)["faults"]
    assert status == (1 if faults else 0)
    assert list(read_files(load(environ={})).faults) == faults
    return faults


def test_the_shipped_files_beside_the_configuration_are_in_order(
    own_files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (own_files / "rules").is_dir()
    assert checked(capsys) == []


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        pytest.param(
            "templates: {clarify: survey/clarfy}",
            "templates.clarify: there is no template survey/clarfy; did you mean survey/clarify?",
            id="named and not there",
        ),
        pytest.param(
            "touchpoints: {complaint: {templates: {thanks: complaint/thank-you-very-much}}}",
            "touchpoints.complaint.templates.thanks: there is no template complaint/thank-you-very-much",
            id="of a touchpoint",
        ),
        pytest.param(
            "reminder: {after: 24h, template: survey/remind-me}",
            "reminder.template: there is no template survey/remind-me",
            id="of a reminder",
        ),
        pytest.param(
            "templates: {thanks: complaint/resolution}",
            "templates.thanks: templates/sms/complaint/resolution.en.j2 is given no parameters: text",
            id="takes what it is not given",
        ),
        pytest.param(
            "templates: {clarify: survey/thanks}",
            "templates.clarify: templates/sms/survey/thanks.en.j2 is given scale: scale is not a parameter",
            id="is given what it does not take",
        ),
        pytest.param(
            "expires_in: 24h\nreminder: {after: 24h}",
            "reminder.after: comes when the question has expired",
            id="a reminder too late",
        ),
        pytest.param(
            "reminder: {after: 24h}\ntouchpoints: {hotline: {expires_in: 12h}}",
            "touchpoints.hotline.reminder.after: comes when the question has expired",
            id="a reminder too late at a touchpoint",
        ),
        pytest.param(
            "callback: {share: 0.05, after: 31d}", "callback.after: longer than 30 days", id="a call too late"
        ),
    ],
)
def test_rules_that_would_lose_scores_are_faults(
    own_files: Path, capsys: pytest.CaptureFixture[str], rules: str, said: str
) -> None:
    (own_files / "rules" / "surveys.yaml").write_text(rules, encoding="utf-8")
    faults = checked(capsys)
    assert faults
    assert any(fault.startswith(f"rules/surveys.yaml: {said}") for fault in faults), faults


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        pytest.param("promise: 12h", ": promise: must be shorter than latest", id="a promise too long"),
        pytest.param("patience: 1d", ": patience: must be shorter than latest", id="too patient"),
        pytest.param(
            "acknowledgement: complaint/recieved",
            ": acknowledgement: there is no template complaint/recieved; did you mean complaint/received?",
            id="no such template",
        ),
        pytest.param(
            "acknowledgement: complaint/resolution",
            ": acknowledgement: templates/sms/",
            id="does not take it",
        ),
        pytest.param("latest: soon", ":1:9: ", id="no time"),
    ],
)
def test_rules_that_would_lose_cases_are_faults(
    own_files: Path, capsys: pytest.CaptureFixture[str], rules: str, said: str
) -> None:
    (own_files / "rules" / "cases.yaml").write_text(rules, encoding="utf-8")
    faults = checked(capsys)
    assert any(fault.startswith(f"rules/cases.yaml{said}") for fault in faults), faults


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        pytest.param("complaint/clarify.*", "there is no template complaint/clarify", id="named by rules"),
        pytest.param("survey/low-score.*", "there is no template survey/low-score", id="named by default"),
        pytest.param("complaint/resolution.*", "it is sent where a call names no template", id="by default"),
        pytest.param(
            "survey/hotline.zh-CN.j2",
            "templates/sms/survey/hotline.en.j2: survey/hotline is not written in zh-CN",
            id="default language",
        ),
        pytest.param("*/*", "there are no templates at all", id="everything"),
    ],
)
def test_templates_that_are_needed_and_missing_are_faults(
    own_files: Path, capsys: pytest.CaptureFixture[str], gone: str, said: str
) -> None:
    for path in (own_files / "templates" / "sms").glob(gone):
        path.unlink()
    assert any(said in fault for fault in checked(capsys))


def test_a_word_of_courtesy_that_is_missing_is_a_warning(
    own_files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for template in (own_files / "templates" / "sms" / "contact").glob("opted-*"):
        template.unlink()
    assert cli.main(["check"]) == 0
    assert "warning: there is no template contact/opted-out; customers get no such word" in (
        capsys.readouterr().out
    )


@pytest.mark.parametrize("language", ["fr", "zh-HK", "en-GB"])
def test_the_language_must_be_one_that_templates_are_written_in(
    empty_folder: Path, capsys: pytest.CaptureFixture[str], language: str
) -> None:
    (empty_folder / "huiyin.toml").write_text(f'[templates]\nlanguage = "{language}"')
    told = ["templates.language: no template is written in fr; there are en, zh-CN, zh-TW"]
    assert checked(capsys) == (told if language == "fr" else [])


def test_preview_says_that_another_language_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["preview", "survey/hotline", "--language", "fr"]) == 0
    assert capsys.readouterr().err == (
        "huiyin preview: survey/hotline is not written in fr; shown in zh-CN\n"
    )
    assert cli.main(["preview", "survey/hotline", "--language", "en"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", ["doctor", "import"])
def test_a_command_that_does_not_exist_is_wrong_use(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([name]) == 2
    assert "invalid choice" in capsys.readouterr().err


def test_every_command_has_its_function() -> None:
    for command in COMMANDS:
        module, _, function = command.run.partition(":")
        assert callable(getattr(importlib.import_module(module), function)), command.name
