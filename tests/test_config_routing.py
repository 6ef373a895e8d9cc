"""The routing table in the configuration: what it reads, what it refuses, and where it says that stands."""

from pathlib import Path

import pytest

from gateway import config
from gateway.config import ConfigError
from gateway.config.routing import begins
from gateway.domain.msisdn import PLANS

BASE = """\
[smsc.main]
host = "127.0.0.1"
system_id = "huiyin"
password = "secret"
allow_plaintext = true
[smsc.other]
host = "127.0.0.2"
system_id = "huiyin"
password = "secret"
allow_plaintext = true
[smsc.deaf]
host = "127.0.0.3"
system_id = "huiyin"
password = "secret"
allow_plaintext = true
bind = "receiver"
[senders.default]
number = "10086"
extensions = 3
rate = 20
[senders.bank]
number = "95588"
"""
LINES = BASE.count("\n")


def loaded(tmp_path: Path, text: str, **environ: str) -> config.Settings:
    file = tmp_path / "huiyin.toml"
    file.write_text(BASE + text)
    return config.load(file, environ)


def faults_of(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as wrong:
        loaded(tmp_path, text)
    return [fault.replace(str(tmp_path / "huiyin.toml"), "huiyin.toml") for fault in wrong.value.faults]


def test_the_table_is_read_in_its_order(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        """
[[routing]]
prefixes = ["86139", "86138"]
lanes = ["marketing"]
to = { main = 3, other = 1 }
[[routing]]
name = "the bank"
senders = ["bank"]
to = ["other"]
backup = ["main"]
""",
    )
    steering = config.steering_of(settings)
    course = steering.course("8613905310001", "10086", "marketing")
    assert (course.name, course.to, course.shared) == ("routing[0]", (("main", 3), ("other", 1)), True)
    course = steering.course("8613905310001", "95588", "service")
    assert (course.name, course.to, course.backup) == ("the bank", (("other", 1),), ("main",))
    assert not course.shared
    assert steering.course("8613705310001", "10086", "service").to == (("main", 1), ("other", 1))
    assert config.rates_of(settings) == {"10086": 20.0, "95588": 0.0}


def test_without_a_table_all_that_send_carry_all(tmp_path: Path) -> None:
    steering = config.steering_of(loaded(tmp_path, ""))
    assert steering.course("8613905310001", "10086", "service").to == (("main", 1), ("other", 1))


@pytest.mark.parametrize(
    ("rule", "line", "told"),
    [
        pytest.param("to = []", 2, "routing[0].to: is empty; name at least one SMSC", id="to nowhere"),
        pytest.param("lanes = []", 1, "routing[0].to: is missing", id="nothing said"),
        pytest.param(
            'to = ["mian"]',
            2,
            "routing[0].to[0]: there is no [smsc.mian]; did you mean main?",
            id="an SMSC that is not there",
        ),
        pytest.param("to = {mian = 1}", 2, "routing[0].to.mian: there is no [smsc.mian]", id="with a weight"),
        pytest.param(
            'to = ["main"]\nbackup = ["zzz"]',
            3,
            "routing[0].backup[0]: there is no [smsc.zzz]; there is main, other, deaf",
            id="a backup that is not there",
        ),
        pytest.param(
            "to = {main = 0}", 2, "routing[0].to.main: expected a weight from 1, not 0", id="a weight of none"
        ),
        pytest.param(
            'to = {main = "much"}',
            2,
            'routing[0].to.main: expected a whole number, not "much"',
            id="a weight in words",
        ),
        pytest.param(
            "to = {main = 1.5}", 2, "routing[0].to.main: expected a whole number, not 1.5", id="a half weight"
        ),
        pytest.param(
            'to = "main"',
            2,
            "routing[0].to: expected a table, each value a whole number or a list, each a text, "
            'not "main"; write ["main"], or {main = 1}',
            id="one name",
        ),
        pytest.param(
            'to = ["main"]\nprefixes = ["139"]',
            3,
            'routing[0].prefixes[0]: no number of CN begins with "139"; did you mean 86139?',
            id="without its country code",
        ),
        pytest.param(
            'to = ["main"]\nprefixes = ["852"]',
            3,
            'routing[0].prefixes[0]: no number of CN begins with "852"; write its country code first, or '
            "add it to regions.accept",
            id="of another country",
        ),
        pytest.param('to = ["main", "main"]', 2, 'routing[0].to[1]: "main" is there already', id="twice"),
        pytest.param('to = ["deaf"]', 2, "routing[0].to[0]: [smsc.deaf] only receives", id="a receiver"),
        pytest.param(
            'to = ["main"]\nbackup = ["main"]',
            3,
            'routing[0].backup[0]: "main" is in `to` already, and can\'t stand in for itself',
            id="its own backup",
        ),
        pytest.param(
            'to = ["main"]\nlanes = ["survey", "marketting"]',
            3,
            "routing[0].lanes[1]: expected one of emergency, transactional, service, survey, marketing, "
            'not "marketting"; did you mean marketing?',
            id="a lane that is none",
        ),
        pytest.param(
            'to = ["main"]\nprefixes = ["+86"]',
            3,
            'routing[0].prefixes[0]: "+86" begins no number; write digits alone',
            id="a prefix with a sign",
        ),
        pytest.param(
            'to = ["main"]\nprefixes = ["0139"]', 3, 'routing[0].prefixes[0]: "0139" begins no', id="with 0"
        ),
        pytest.param(
            'to = ["main"]\nsenders = ["bnak"]',
            3,
            'routing[0].senders[0]: there is no sender "bnak"; did you mean bank?',
            id="a sender that is not there",
        ),
        pytest.param('to = ["main"]\nprefix = "86"', 3, "routing[0].prefix: unknown; did", id="a typo"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, rule: str, line: int, told: str) -> None:
    [fault] = faults_of(tmp_path, f"[[routing]]\n{rule}\n")
    assert fault.startswith(f"huiyin.toml:{LINES + line}: {told}")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("", 'lanes = ["survey"]', id="after one that takes all"),
        pytest.param('prefixes = ["861"]', 'prefixes = ["86139", "86138"]', id="prefixes of prefixes"),
        pytest.param('senders = ["default"]', 'senders = ["10086"]', id="the same sender"),
    ],
)
def test_a_rule_that_is_never_reached_is_told(tmp_path: Path, first: str, second: str) -> None:
    rules = f'[[routing]]\nto = ["main"]\n{first}\n[[routing]]\nto = ["other"]\n{second}\n'
    [fault] = faults_of(tmp_path, rules)
    told = "routing[1]: is never reached: routing[0] takes all of its messages; put it further up"
    assert fault == f"huiyin.toml:{LINES + 4}: {told}"


def test_a_rule_has_a_name_of_its_own(tmp_path: Path) -> None:
    one, two = (
        f'[[routing]]\nname = "x"\nto = ["{to}"]\nlanes = ["{lane}"]\n'
        for to, lane in (("main", "survey"), ("other", "service"))
    )
    [fault] = faults_of(tmp_path, one + two)
    assert fault == f'huiyin.toml:{LINES + 6}: routing[1].name: "x" is the name of routing[0] already'


@pytest.mark.parametrize(
    ("prefix", "regions", "may"),
    [
        pytest.param("8", ["cn"], True, id="part of a country code"),
        pytest.param("86", ["cn"], True, id="a country code"),
        pytest.param("861391234", ["cn"], True, id="most of a number"),
        pytest.param("8613905310001", ["cn"], True, id="a whole number"),
        pytest.param("86139053100011", ["cn"], False, id="more than a number"),
        pytest.param("862", ["cn"], False, id="no mobile number"),
        pytest.param("86144", ["cn"], True, id="a rare one"),
        pytest.param("86142", ["cn"], False, id="none beside it"),
        pytest.param("1213", ["cn", "us"], True, id="of the second region"),
        pytest.param("12131", ["us"], False, id="never"),
        pytest.param("6011", ["my"], True, id="of more than one length"),
        pytest.param("139", [], True, id="nobody knows"),
    ],
)
def test_whether_numbers_of_a_region_begin_so(prefix: str, regions: list[str], may: bool) -> None:
    assert begins(prefix, regions) is may


def test_the_beginnings_of_every_region_are_known() -> None:
    assert all(begins(plan.country_code, [region]) for region, plan in PLANS.items())
    assert all(
        any(begins(f"{plan.country_code}{digit}", [region]) for digit in range(10))
        for region, plan in PLANS.items()
    )


@pytest.mark.parametrize(
    "text",
    [pytest.param('routing = "main"', id="a text"), pytest.param("[routing]\nto = []", id="one section")],
)
def test_a_table_that_is_no_list_is_told(tmp_path: Path, text: str) -> None:
    file = tmp_path / "huiyin.toml"
    file.write_text(f"{text}\n{BASE}")
    with pytest.raises(ConfigError) as wrong:
        config.load(file, {})
    assert wrong.value.faults == [f"{file}:1: routing: expected sections such as [[routing]]"]


def test_a_rate_below_nothing_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "huiyin.toml"
    file.write_text(BASE.replace("rate = 20", "rate = -1"))
    with pytest.raises(ConfigError, match=r"senders\.default\.rate: expected a whole number from 0, not -1"):
        config.load(file, {})


def test_a_table_of_weights_below_its_rule_is_its_own(tmp_path: Path) -> None:
    rules = '[[routing]]\nlanes = ["survey"]\n[routing.to]\nmain = 2\n[[routing]]\n[routing.to]\nmian = 1\n'
    [fault] = faults_of(tmp_path, rules)
    assert fault.startswith(f"huiyin.toml:{LINES + 7}: routing[1].to.mian: there is no [smsc.mian]")
