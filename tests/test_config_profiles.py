"""Profiles of SMSCs: what is read from rules/smsc, what is refused and in which words."""

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import FieldInfo, fields

from gateway import config
from gateway.app.routes import routes_of
from gateway.config import ConfigError, Profiles
from gateway.config.profiles import SHIPPED
from gateway.esme.profile import DEFAULT, Profile, Ruling
from gateway.esme.route import Route
from gateway.smpp.receipt import State
from gateway.smpp.status import Verdict

SMSC = """
[smsc.main]
host = "127.0.0.1"
system_id = "huiyin"
password = "secret"
allow_plaintext = true
window = 100
rate = 50
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "rules" / "smsc"
    made.mkdir(parents=True)
    return made


def profile_of(folder: Path, text: str, name: str = "mine") -> Profile:
    (folder / f"{name}.yaml").write_text(text)
    profiles = Profiles(folder)
    found = profiles.get(name)
    assert profiles.faults == []
    assert found is not None
    return found


def faults_of(folder: Path, text: str) -> list[str]:
    (folder / "mine.yaml").write_text(text)
    profiles = Profiles(folder)
    profiles.read_own()
    return [fault.replace(f"{folder}/", "") for fault in profiles.faults]


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*")), ids=lambda path: path.stem)
def test_a_shipped_profile_is_whole_and_says_what_it_is_for(path: Path, tmp_path: Path) -> None:
    profiles = Profiles(tmp_path)
    found = profiles.get(path.stem)
    assert profiles.faults == []
    assert found is not None
    assert found.name == path.stem
    assert path.stem == "default" or found != DEFAULT
    assert path.read_text("utf-8").startswith("# ")


def test_the_default_profile_is_the_defaults(tmp_path: Path) -> None:
    assert Profiles(tmp_path).get("default") == DEFAULT


def test_a_file_is_read_whole(folder: Path) -> None:
    found = profile_of(
        folder,
        """
        receipts: {words: {"mk:*": undeliverable}, response_id: hex}
        statuses:
          0x0401: recipient
          ESME_RMSGQFUL: {verdict: temporary, pauses: [1m, 1h30m], meaning: Busy.}
        tlvs: {0x1403: {text: A7}, source_port: {int16: 258}, 0x1404: {hex: "0aff"}, 0x1405: {int32: 1}}
        refuse_with: ESME_RX_T_APPN
        zone: "+08:00"
        mo: {prefixes: {"17951": "86"}}
        """,
    )
    assert found.receipts.words == {"MK:*": State.UNDELIVERABLE}
    assert found.statuses == {
        0x401: Ruling(verdict=Verdict.RECIPIENT),
        0x14: Ruling(
            verdict=Verdict.TEMPORARY, pauses=(timedelta(minutes=1), timedelta(minutes=90)), meaning="Busy."
        ),
    }
    assert found.tlvs == {0x1403: b"A7", 0x20A: b"\1\2", 0x1404: b"\x0a\xff", 0x1405: b"\0\0\0\1"}
    assert (found.refuse_with, found.zone, found.mo.prefixes) == (0x64, "+08:00", {"17951": "86"})


def test_a_version_needs_no_quotes(folder: Path) -> None:
    assert profile_of(folder, "bind: {version: 3.3}").bind.version == "3.3"
    assert profile_of(folder, "bind: {version: 5.0}", "other").bind.version == "5.0"


def test_what_extends_replaces_setting_by_setting(folder: Path) -> None:
    profile_of(
        folder,
        """
        receipts: {ignore_zeros: true, words: {A: DELIVERED, B: EXPIRED}}
        statuses: {0x14: throttle, 0x401: ours}
        tlvs: {source_port: {int16: 1}}
        """,
        "base",
    )
    found = profile_of(
        folder,
        """
        extends: base
        receipts: {ignore_case: true, words: {B: DELETED}}
        statuses: {ESME_RMSGQFUL: recipient}
        tlvs: {0x020A: {hex: "ff"}}
        """,
    )
    assert found.receipts.words == {"A": State.DELIVERED, "B": State.DELETED}
    assert found.tlvs == {0x20A: b"\xff"}
    assert (found.receipts.ignore_zeros, found.receipts.ignore_case) == (True, True)
    assert {code: ruling.verdict for code, ruling in found.statuses.items()} == {
        0x14: Verdict.RECIPIENT,
        0x401: Verdict.OURS,
    }


def test_an_own_file_may_extend_the_shipped_one_of_its_name(folder: Path) -> None:
    found = profile_of(folder, "extends: hex-and-decimal\nreceipts: {ignore_case: true}", "hex-and-decimal")
    assert (str(found.receipts.response_id), found.receipts.ignore_case) == ("hex", True)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param("receits: {}", "1:1: receits: unknown; did you mean receipts?", id="unknown"),
        pytest.param(
            "receipts:\n  parts: frist",
            '2:3: receipts.parts: expected one of each, first, last, not "frist"; did you mean first?',
            id="no such word",
        ),
        pytest.param(
            'receipts: {words: {OK: DELIVERD}}',
            '1:20: receipts.words.OK: expected one of SCHEDULED, ENROUTE, DELIVERED, EXPIRED, DELETED, '
            'UNDELIVERABLE, ACCEPTED, UNKNOWN, REJECTED, SKIPPED, not "DELIVERD"; did you mean DELIVERED?',
            id="no such state",
        ),
        pytest.param(
            'receipts: {words: {"a*b": DELIVERED}}',
            '1:20: receipts.words."a*b": a word, or the beginning of one with * at its end',
            id="a star inside",
        ),
        pytest.param(
            "statuses: {ESME_RTHROTLED: throttle}",
            "1:12: statuses.ESME_RTHROTLED: no command_status; write its name, or its number as 0x0401; "
            "did you mean ESME_RTHROTTLED?",
            id="no such status",
        ),
        pytest.param(
            "statuses: {0x0401: recipent}",
            "1:12: statuses.0x0401.verdict: expected one of ok, throttle, temporary, recipient, sender, "
            'ours, link, vendor, not "recipent"; did you mean recipient?',
            id="no such verdict",
        ),
        pytest.param(
            "statuses: {0x58: throttle, ESME_RTHROTTLED: ours}",
            "1:28: statuses.ESME_RTHROTTLED: stands here twice, by name and by number",
            id="one status twice",
        ),
        pytest.param(
            "statuses:\n  0x14: {verdict: temporary, pauses: [1m, soon]}",
            '2:30: statuses.0x14.pauses[1]: "soon" is no duration; '
            'write it as "60s", "15m", "72h", "7d" or "PT15M"',
            id="no pause",
        ),
        pytest.param(
            "statuses: {0x14: {verdict: recipient, pauses: [1m]}}",
            "1:39: statuses.0x14.pauses: only what is temporary is tried again after pauses",
            id="pauses of what is final",
        ),
        pytest.param(
            "statuses: {0x14: ok}",
            "1:12: statuses.0x14.verdict: a refusal can't be a success: nobody would know the message's id",
            id="refused and taken",
        ),
        pytest.param(
            "tlvs: {source_prt: {int16: 1}}",
            "1:8: tlvs.source_prt: no parameter; write its name, or its tag as 0x1403; "
            "did you mean source_port?",
            id="no such parameter",
        ),
        pytest.param(
            "tlvs: {0x1400: {int8: 300}}",
            "1:8: tlvs.0x1400: expected int8 from 0 to 255, not 300",
            id="too large",
        ),
        pytest.param(
            "tlvs: {0x1400: {hex: xyz}}",
            '1:8: tlvs.0x1400: expected hex digits, two an octet, not "xyz"',
            id="no hex",
        ),
        pytest.param(
            "tlvs: {sar_msg_ref_num: {int16: 1}}",
            "1:8: tlvs.sar_msg_ref_num: is set for each part by itself; see text.join",
            id="a parameter of ours",
        ),
        pytest.param(
            "zone: Mars/Base",
            '1:1: zone: "Mars/Base" is no zone; write it as "+08:00" or "Asia/Shanghai"',
            id="no zone",
        ),
        pytest.param(
            "destination: {form: national}",
            "1:1: destination.country: is missing: which country's numbers go without their code?",
            id="national of no country",
        ),
        pytest.param(
            "receipts: {ask: last-sent, parts: first}",
            "1:12: receipts.ask: only the last part is asked for, and only the first one is reported",
            id="asked in vain",
        ),
        pytest.param(
            "text: {shifts: [turkish], default_alphabet: latin1}",
            "1:1: text: national language tables need GSM 7-bit as data_coding 0, not latin1",
            id="exclude each other",
        ),
        pytest.param("order: 1\norder: 2", "2:1: order: stands here twice", id="a key twice"),
        pytest.param("order: [", "2:1: not YAML: ", id="not YAML"),
        pytest.param("name: x", "1:1: name: a profile has the name of its file", id="another name"),
        pytest.param(
            "extends: sarr", "1:1: extends: there is no profile sarr; did you mean sar?", id="no base"
        ),
        pytest.param("extends: mine", "1:1: extends: there is no shipped profile mine; ", id="itself"),
        pytest.param("extends: nine", "1:1: extends: there is no profile nine; there are ", id="nor itself"),
        pytest.param(
            "statuses: {ESME_NOPE: throttle}",
            "1:12: statuses.ESME_NOPE: no command_status; write its name, or its number as 0x0401",
            id="nothing near",
        ),
        pytest.param(
            'mo: {prefixes: {"17951": 86}}',
            '1:17: mo.prefixes.17951: expected a text; write it in quotes',
            id="a prefix that is no text",
        ),
        pytest.param("refuse_with: ESME_RSYSER",
            "1:1: refuse_with: expected a command_status such as ESME_RSYSERR or 0x08, "
            'not "ESME_RSYSER"; did you mean ESME_RSYSERR?', id="no such refusal"),
        pytest.param("refuse_with: true",
            "1:1: refuse_with: expected a command_status such as ESME_RSYSERR or 0x08, not true", id="yes"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_place(folder: Path, text: str, fault: str) -> None:
    told = faults_of(folder, text)
    assert len(told) == 1
    assert told[0].startswith(f"mine.yaml:{fault}")


def inner(kind: type) -> tuple[FieldInfo, ...]:
    return fields(kind) if issubclass(kind, msgspec.Struct) else ()


SECTIONS = [item.name for item in fields(Profile)]
KEYS = [
    *SECTIONS,
    *(each.name for item in fields(Profile) if isinstance(item.type, type) for each in inner(item.type)),
    *(
        "extends",
        "0x58",
        "ESME_RMSGQFUL",
        "verdict",
        "pauses",
        "int8",
        "text",
        "hex",
        "ton",
        "npi",
        "*",
        "MK:*",
    ),
]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(
        ["hex", "throttle", "temporary", "first", "1m", "+08:00", "UTC", "sar", "mine", "other"]
    ),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inside, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6), VALUES)
def test_whatever_is_written_there_is_a_profile_or_a_fault(written: dict[str, Any], other: Any) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "mine.yaml").write_text(yaml.safe_dump(written))
        (folder / "other.yaml").write_text(yaml.safe_dump(other))
        profiles = Profiles(folder)
        profiles.read_own()
        assert isinstance(profiles.get("mine"), Profile)
        assert all(fault.startswith(name) for fault in profiles.faults)
        if not profiles.faults:
            found = profiles.get("mine")
            assert found is not None
            Route(name="main", accounts=(), profile=found)  # each value can be put to use


def test_profiles_that_extend_each_other_are_refused(folder: Path) -> None:
    (folder / "other.yaml").write_text("extends: mine")
    assert set(faults_of(folder, "extends: other")) == {
        "mine.yaml:1:1: extends: other leads back to where it began",
        "other.yaml:1:1: extends: mine leads back to where it began",
    }


def test_a_list_is_no_profile(folder: Path) -> None:
    assert faults_of(folder, "- 1") == ["mine.yaml: expected a profile: receipts, text, statuses …"]


def test_all_faults_of_all_files_stop_the_start_together(tmp_path: Path, folder: Path) -> None:
    (folder / "one.yaml").write_text("order: backwards")
    (folder / "two.yaml").write_text("zone: nowhere\nvalidity: never")
    (tmp_path / "huiyin.toml").write_text(SMSC + 'profile = "sarr"\n')
    with pytest.raises(ConfigError) as caught:
        config.load(tmp_path / "huiyin.toml", {})
    told = [fault.replace(f"{tmp_path}/", "").split(": ")[0] for fault in caught.value.faults]
    assert told == [
        "huiyin.toml:9",
        *(f"rules/smsc/{at}" for at in ("one.yaml:1:1", "two.yaml:1:1", "two.yaml:2:1")),
    ]
    assert 'there is no profile "sarr"; did you mean sar?' in caught.value.faults[0]


def test_a_route_has_the_profile_that_it_names_and_its_limits(tmp_path: Path, folder: Path) -> None:
    (folder / "mine.yaml").write_text("extends: sar\nlimits: {window: 10, rate: 20, binds: 1}")
    (tmp_path / "huiyin.toml").write_text(SMSC + 'profile = "mine"\nbinds = 4\n')
    (route,) = routes_of(config.load(tmp_path / "huiyin.toml", {}))
    assert (route.profile.name, str(route.cutting.join)) == ("mine", "sar")
    assert (route.binds, route.window, route.rate) == (1, 10, 20.0)


def test_a_folder_of_profiles_takes_no_other_rules_place(tmp_path: Path, folder: Path) -> None:
    (folder / "mine.yaml").write_text("extends: sar")
    (tmp_path / "huiyin.toml").write_text(SMSC + 'profile = "mine"\n')
    read = config.read_files(config.load(tmp_path / "huiyin.toml", {}))
    assert read.faults == ()
    assert list(read.rules) == sorted(SHIPPED.parent.glob("*.yaml"))
