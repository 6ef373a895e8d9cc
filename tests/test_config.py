"""What the configuration reads, what it refuses and in which words."""

import re
import subprocess
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import fields

from gateway import config
from gateway.app.routes import routes_of
from gateway.config import ConfigError, Secret, Settings

LEAST = """
[database]
dsn = "embedded"
[http]
listen = "127.0.0.1:8080"
[smsc.main]
host = "127.0.0.1"
port = 2775
system_id = "huiyin"
password_file = "secrets/smsc-main"
allow_plaintext = true
binds = 2
[senders.default]
number = "10086"
extensions = 3
[connectors."ticket.satisfaction"]
method = "PATCH"
url = "http://127.0.0.1:9000/tickets/{{ ticket.id }}"
[security]
allow_targets = ["127.0.0.0/8"]
[delivery]
unknown_wait = "60s"
"""


SMSC: Final = """\
[smsc.main]
host = "h"
system_id = "s"
password = "p"
allow_plaintext = true
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "smsc-main").write_text("s3cret\n")
    path = tmp_path / "huiyin.toml"
    path.write_text(LEAST)
    return path


def faults_of(path: Path, text: str, environ: Mapping[str, str] | None = None) -> list[str]:
    """What is said about a text, with the file's folder cut off."""
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        config.load(path, environ or {})
    return [fault.replace(f"{path.parent}/", "") for fault in caught.value.faults]


def test_the_least_that_serve_needs_is_read(file: Path) -> None:
    settings = config.load(file, {})
    smsc = settings.smsc["main"]
    assert settings.database.embedded
    assert (smsc.host, smsc.port, smsc.binds, smsc.window, smsc.rate) == ("127.0.0.1", 2775, 2, 100, 0)
    assert smsc.password.reveal() == "s3cret"
    assert settings.senders["default"].extensions == 3
    assert settings.connectors["ticket.satisfaction"].method == "PATCH"
    assert settings.delivery.unknown_wait == timedelta(seconds=60)
    assert settings.path("rules") == file.parent / "rules"
    assert config.missing_to_serve(settings) == []


def test_without_any_file_the_defaults_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert config.load(environ={}) == Settings()


def test_what_serve_lacks_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert [text.split(":")[0] for text in config.missing_to_serve(config.load(environ={}))] == [
        "no SMSC",
        "no sender",
    ]


def test_the_file_is_the_asked_one_then_the_variable_then_the_one_here(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.toml"
    other.write_text('[node]\nname = "other"')
    monkeypatch.chdir(tmp_path)
    assert config.load(other, {"HUIYIN_CONFIG": str(file)}).node.name == "other"
    assert config.load(None, {"HUIYIN_CONFIG": str(other)}).node.name == "other"
    assert "main" in config.load(None, {}).smsc


def test_all_faults_are_told_together_each_with_its_line(file: Path) -> None:
    text = """\
[database]
dsn = "mysql://root:hidden@db/x"
[smsc.main]
host = 3
port = 99999
enquire_link = "soon"
bind = "both"
password = "s3cret"
[security]
allow_targets = ["10.1.0.1/16"]
"""
    assert faults_of(file, text, {"HUIYIN_HTTP__RATE": "fast"}) == [
        "huiyin.toml:4: smsc.main.host: expected a text, not 3",
        "huiyin.toml:5: smsc.main.port: expected a whole number from 1 to 65535, not 99999",
        'huiyin.toml:6: smsc.main.enquire_link: "soon" is no duration; '
        'write it as "60s", "15m", "72h", "7d" or "PT15M"',
        'huiyin.toml:7: smsc.main.bind: expected one of transceiver, pair, transmitter, receiver, not "both"',
        "huiyin.toml:3: smsc.main.system_id: is missing",
        'HUIYIN_HTTP__RATE: http.rate: expected a whole number from 0, not "fast"',
        'huiyin.toml:2: database.dsn: expected "embedded" or postgresql://user@host/name',
        "huiyin.toml:10: security.allow_targets: 10.1.0.1/16 has host bits set; "
        'write a network as "10.1.0.0/16"',
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param("[htp]", "huiyin.toml:1: htp: unknown; did you mean http?", id="section"),
        pytest.param(
            '[http]\nlistn = "x:1"', "huiyin.toml:2: http.listn: unknown; did you mean listen?", id="key"
        ),
        pytest.param(
            '[senders.default]\nnumber = "10086"\nextension = 3',
            "huiyin.toml:3: senders.default.extension: unknown; did you mean extensions?",
            id="key of a named section",
        ),
        pytest.param(
            "[log]\nzzz = 1", "huiyin.toml:2: log.zzz: unknown; known are level, style", id="nothing near"
        ),
        pytest.param("[http\n", "huiyin.toml:1:6: not TOML: Expected ']'", id="not TOML"),
        pytest.param("[http]\nx = [", "huiyin.toml:2:6: not TOML: ", id="not TOML to the end"),
        pytest.param(
            SMSC.replace("[smsc.main]", '[smsc."my other"]'),
            'huiyin.toml:1: smsc."my other": expected a name of letters, digits, - _ and .',
            id="a route's name with a blank",
        ),
        pytest.param(
            "http = 3", "huiyin.toml:1: http: expected a section [http]", id="a value for a section"
        ),
        pytest.param("smsc = 3", "huiyin.toml:1: smsc: expected sections such as [smsc.main]", id="no names"),
        pytest.param(
            '[smsc.main]\nhost = "h"\nsystem_id = "s"',
            "huiyin.toml:1: smsc.main.password: is missing; give password_file or HUIYIN_SMSC",
            id="password",
        ),
        pytest.param(
            '[smsc.main]\nhost = "h"\nsystem_id = "s"\npassword = "p"\npassword_file = "x"',
            "huiyin.toml:5: smsc.main.password_file: give either this or password, not both",
            id="both ways to give a secret",
        ),
        pytest.param(
            '[smsc.main]\nhost = "h"\nsystem_id = "s"\npassword_file = "gone"',
            "huiyin.toml:4: smsc.main.password_file: gone can't be read: No such file or directory",
            id="secret file is gone",
        ),
        pytest.param(
            '[senders.shop]\nnumber = "HUIYIN"\nextensions = 2',
            'huiyin.toml:3: senders.shop.extensions: "HUIYIN" is no number; nobody can answer it',
            id="letters with extension",
        ),
        pytest.param(
            '[regions]\nhome = "XX"',
            'huiyin.toml:2: regions.home: the numbers of "XX" are not known; there are AU, CA, CN,',
            id="country without a plan",
        ),
        pytest.param(
            '[regions]\naccept = ["HK", "XX"]',
            'huiyin.toml:2: regions.accept[1]: the numbers of "XX" are not known; there are AU, CA, CN,',
            id="further country without a plan",
        ),
        pytest.param(
            '[regions]\ntime_zone = "Asia/Shangai"',
            'huiyin.toml:2: regions.time_zone: there is no time zone "Asia/Shangai"; '
            "did you mean Asia/Shanghai?",
            id="unknown time zone",
        ),
        pytest.param(
            '[regions]\ntime_zone = "+08:00"',
            'huiyin.toml:2: regions.time_zone: there is no time zone "+08:00"; write it as Asia/Shanghai',
            id="no name of a time zone",
        ),
        pytest.param(
            '[regions]\ntime_zone = "../../etc/passwd"',
            'huiyin.toml:2: regions.time_zone: "../../etc/passwd" is no time zone',
            id="time zone outside its folder",
        ),
        pytest.param(
            '[regions]\ntime_zone = ""',
            'huiyin.toml:2: regions.time_zone: "" is no time zone',
            id="empty time zone",
        ),
        pytest.param(
            '[node]\nroles = ["sendr"]',
            'huiyin.toml:2: node.roles[0]: expected one of api, sender, not "sendr"; did you mean sender?',
            id="item of a list",
        ),
        pytest.param(
            '[connectors."ticket.create"]\nurl = "https://t.example"\nsuccess = {statuses = [200, "x"]}',
            'huiyin.toml:3: connectors."ticket.create".success.statuses[1]: expected a whole number, not "x"',
            id="item of a list of numbers",
        ),
        pytest.param(
            '[senders.default]\nnumber = "HUIYINTELECOM"',
            "huiyin.toml:2: senders.default.number: expected 2 to 20 digits, or 2 to 11 letters, digits and "
            'blanks, not "HUIYINTELECOM"',
            id="letters",
        ),
        pytest.param(
            '[node]\nlease = "2s"',
            "huiyin.toml:2: node.lease: expected a length of time from 5s to 5m",
            id="lease",
        ),
        pytest.param(
            '[delivery]\nreassembly_wait = "2d"',
            "huiyin.toml:2: delivery.reassembly_wait: expected a length of time from 10s to 1d",
            id="wait for parts",
        ),
        pytest.param(
            '[http]\ntls_key = "k.pem"',
            "huiyin.toml:2: http.tls_key: a certificate and its key go together; one of them is missing",
            id="key without certificate",
        ),
        pytest.param(
            '[delivery]\nunknown_wait = "0s"',
            'huiyin.toml:2: delivery.unknown_wait: "0s" is too short: it must be longer than nothing',
            id="no time at all",
        ),
    ],
)
def test_a_fault_says_where_and_what_to_do(file: Path, text: str, fault: str) -> None:
    told = faults_of(file, text)
    assert len(told) == 1
    assert told[0].startswith(fault)


def test_a_file_that_was_asked_for_and_is_not_there_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.toml: can't be read: No such file"):
        config.load(tmp_path / "gone.toml", {})


def test_variables_outweigh_the_file(file: Path) -> None:
    settings = config.load(
        file,
        {
            "HUIYIN_HTTP__LISTEN": "[::]:9090",
            "HUIYIN_SMSC__MAIN__BINDS": "4",
            "HUIYIN_SMSC__MAIN__ALLOW_PLAINTEXT": "false",
            "HUIYIN_SMSC__MAIN__PASSWORD": "from outside",
            "HUIYIN_NODE__ROLES": "api, sender",
            "HUIYIN_CONNECTORS__TICKET_SATISFACTION__TIMEOUT": "PT3S",
            "HUIYIN_CONNECTORS__TICKET_SATISFACTION__HEADERS": '{"X-Of": "us"}',
            "HUIYIN_SENDERS__DEFAULT__NUMBER": "",
            "HUIYIN_SMSC__SPARE__HOST": "spare",
            "HUIYIN_SMSC__SPARE__SYSTEM_ID": "huiyin",
            "HUIYIN_SMSC__SPARE__PASSWORD_FILE": "secrets/smsc-main",
        },
    )
    main, ticket = settings.smsc["main"], settings.connectors["ticket.satisfaction"]
    assert config.listening(settings.http.listen) == ("::", 9090)
    assert (main.binds, main.allow_plaintext, main.password.reveal()) == (4, False, "from outside")
    assert settings.node.roles == ["api", "sender"]
    assert (ticket.timeout, ticket.headers) == (timedelta(seconds=3), {"X-Of": "us"})
    assert settings.senders["default"].number == "10086"
    assert settings.smsc["spare"].password.reveal() == "s3cret"


@pytest.mark.parametrize(
    ("variable", "fault"),
    [
        pytest.param("HUIYIN_HTTP__PORT", "HUIYIN_HTTP__PORT: http.port: unknown; ", id="key"),
        pytest.param(
            "HUIYIN_HTTP_LISTEN", "HUIYIN_HTTP_LISTEN: unknown; did you mean HUIYIN_HTTP__L", id="one _"
        ),
        pytest.param(
            "HUIYIN_SMSCS__MAIN__HOST", "HUIYIN_SMSCS__MAIN__HOST: smscs: unknown; did you", id="section"
        ),
    ],
)
def test_a_misspelt_variable_is_a_fault(file: Path, variable: str, fault: str) -> None:
    told = faults_of(file, LEAST, {variable: "1"})
    assert len(told) == 1
    assert told[0].startswith(fault)


def test_secrets_are_never_shown(file: Path) -> None:
    settings = config.load(file, {"HUIYIN_DATABASE__DSN": "postgresql://u:hunter2@db/x"})
    assert "s3cret" not in repr(settings)
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in f"{settings.database.dsn} {settings.database.dsn!r}"
    assert not any("hunter3" in fault for fault in faults_of(file, '[database]\ndsn = "x:hunter3"'))
    headers = '[connectors.x]\nurl = "https://x.example"\nheaders = {Authorization = "Bearer hunter4", N = 1}'
    assert faults_of(file, headers) == [
        "huiyin.toml:3: connectors.x.headers.N: expected a text; write it in quotes"
    ]
    assert repr(Secret("")) == "Secret(empty)"


def test_connectors_stand_in_files_of_their_own_too(file: Path) -> None:
    (file.parent / "connectors").mkdir()
    (file.parent / "connectors" / "ticket.create.yaml").write_text(
        "url: https://tickets.example/new\nbody: {title: '{{ text }}', tags: [sms]}\nresult: /number\n"
        "success:\n  pointer: /ok\n  equals: true\n"
    )
    created = config.load(file, {}).connectors["ticket.create"]
    assert (created.body, created.result) == ({"title": "{{ text }}", "tags": ["sms"]}, "/number")
    assert (created.success.pointer, created.success.equals) == ("/ok", True)


def test_a_connector_has_as_many_secrets_as_it_needs(file: Path) -> None:
    text = """
[connectors."lookup.balance"]
url = "https://hall.example/{{ to }}"
headers = {Authorization = "Basic {{ secrets.login }}", X-Key = "{{ secret }}"}
secret = "one"
secrets = {login = "two", token_file = "secrets/smsc-main"}
"""
    file.write_text(text)
    connector = config.load(file, {}).connectors["lookup.balance"]
    assert connector.definition()["secrets"] == {"login": "two", "token": "s3cret"}
    assert connector.definition()["secret"] == "one"
    assert not {"one", "two", "s3cret"} & set(re.findall(r"\w+", repr(connector)))


def test_a_connector_that_could_not_be_called_is_a_fault(file: Path) -> None:
    text = """
[connectors."ticket.create"]
url = "https://tickets.example/new"
body = "{{ nothing"
[connectors."ticket.create".headers]
X-Key = "{{ secret }}"
"""
    told = faults_of(file, text)
    assert {fault.rpartition(": ")[0].split(": ")[1] for fault in told} >= {
        'connectors."ticket.create".headers.X-Key'
    }
    assert any(fault.startswith('huiyin.toml:4: connectors."ticket.create".body: ') for fault in told)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param(
            "url: https://t.example\ntimeot: 3s",
            "connectors/new.yaml:2: connectors.new.timeot: unknown; did you mean timeout?",
            id="key",
        ),
        pytest.param("url: a\nurl: b", "connectors/new.yaml:2:1: url: stands here twice", id="twice"),
        pytest.param("url: [", "connectors/new.yaml:2:1: not YAML: ", id="not YAML"),
        pytest.param("- url", "connectors/new.yaml: expected one connector", id="a list"),
        pytest.param("", "connectors/new.yaml: expected one connector", id="empty"),
        pytest.param(
            "name: ticket.satisfaction\nurl: https://t.example",
            'connectors/new.yaml: a connector "ticket.satisfaction" is there already',
            id="name taken",
        ),
        pytest.param("url: !!python/name:os.system", "connectors/new.yaml:1:6: not YAML: ", id="no code"),
    ],
)
def test_faults_in_connector_files_lead_with_file_and_line(file: Path, text: str, fault: str) -> None:
    (file.parent / "connectors").mkdir()
    (file.parent / "connectors" / "new.yaml").write_text(text)
    told = faults_of(file, LEAST)
    assert len(told) == 1
    assert told[0].startswith(fault)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("60s", 60, id="seconds"),
        pytest.param("15m", 900, id="minutes"),
        pytest.param("72h", 259_200, id="hours"),
        pytest.param("7d", 604_800, id="days"),
        pytest.param("1h30m", 5400, id="two units"),
        pytest.param("250ms", 0.25, id="a quarter second"),
        pytest.param("PT15M", 900, id="ISO 8601"),
        pytest.param("P3D", 259_200, id="ISO 8601 days"),
    ],
)
def test_durations_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert config.duration(text) == timedelta(seconds=seconds)


@given(st.text(max_size=12))
def test_a_duration_that_people_do_not_write_is_refused_in_words(text: str) -> None:
    assume(not re.fullmatch(r"(\d+(\.\d+)?(ms|[smhdw]))+|[+-]?[Pp].+", text, re.ASCII))
    with pytest.raises(ValueError, match="is no duration"):
        config.duration(text)


@given(st.integers(min_value=1, max_value=99_999), st.sampled_from(["s", "m", "h"]))
def test_a_duration_is_as_long_as_it_says(count: int, unit: str) -> None:
    length = {"s": 1, "m": 60, "h": 3600}[unit]
    assert config.duration(f"{count}{unit}") == timedelta(seconds=count * length)


def test_settings_explain_themselves_in_the_docs() -> None:
    page = Path(__file__).parent.parent / "docs" / "settings.md"
    assert page.read_text(encoding="utf-8") == config.explain(), "run: make settings"


def test_every_setting_has_its_sentence() -> None:
    rows = [line for line in config.explain().splitlines() if line.startswith("| `")]
    assert len(rows) > 60
    assert [row for row in rows if row.rstrip("| ").count(" | ") < 3] == []


@pytest.mark.parametrize(
    "setting",
    [
        "http.public_url",
        "http.trusted_proxies",
        "retention.facts",
    ],
)
def test_what_would_do_nothing_can_not_be_set(file: Path, setting: str) -> None:
    section, _, key = setting.rpartition(".")
    told = faults_of(file, f'[{section}]\n{key} = "x"')
    assert f"huiyin.toml:2: {setting}: unknown" in "\n".join(told)


def test_every_setting_is_read_by_somebody() -> None:
    """By its name: as an attribute, or as a connector's field."""
    root = Path(config.__file__).parent
    judged = [root / name for name in ("schema.py", "explain.py", "read.py", "judge.py")]
    source = "".join(path.read_text() for path in root.parent.rglob("*.py") if path not in judged)
    kinds = [
        *(section.type for section in fields(Settings)),
        *(config.Smsc, config.Receiver, config.Sender, config.Connector, config.Success),
    ]
    settings = [
        setting.name
        for kind in kinds
        if isinstance(kind, type) and issubclass(kind, Struct)
        for setting in fields(kind)
    ]
    assert len(settings) > 60
    assert [name for name in settings if not re.search(rf'\.{name}\b|"{name}"', source)] == []


@pytest.mark.parametrize("role", ["worker", "console", "mail"])
def test_a_role_that_does_nothing_can_not_be_given(file: Path, role: str) -> None:
    assert f'node.roles[0]: expected one of api, sender, not "{role}"' in "\n".join(
        faults_of(file, f'[node]\nroles = ["{role}"]')
    )


# --- Connectors ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        pytest.param("ticket.satisfacton", "did you mean ticket.satisfaction?", id="misspelt"),
        pytest.param(
            "x", "there are ticket.satisfaction, ticket.create, service.activate", id="nothing near"
        ),
    ],
)
def test_a_connector_that_nothing_calls_is_a_fault(file: Path, name: str, hint: str) -> None:
    told = faults_of(file, f'[connectors."{name}"]\nurl = "https://t.example/"')
    assert len(told) == 1
    assert "nothing calls a connector of this name; " + hint in told[0]


@pytest.mark.parametrize(
    ("connector", "setting", "said"),
    [
        pytest.param(
            "ticket.satisfaction",
            'url = "https://t.example/{{ tiket.id }}"',
            "url: can't be filled for a score with a comment: 'tiket' is undefined",
            id="url",
        ),
        pytest.param(
            "ticket.satisfaction",
            'url = "https://t.example/"\nbody = {score = "{{ skore }}"}',
            "body: can't be filled for a score with a comment: 'skore' is undefined",
            id="body",
        ),
        pytest.param(
            "ticket.satisfaction",
            'url = "https://t.example/"\nheaders = {X-Said = "{{ comment }}"}',
            "headers.X-Said: can't be filled for a score without a comment: a value is null here",
            id="null in a header",
        ),
        pytest.param(
            "ticket.create",
            'url = "https://t.example/"\nbody = {about = "{{ ticket.id }}"}',
            "body: can't be filled for a customer's own words: 'ticket' is undefined",
            id="what only a follow-up has",
        ),
        pytest.param(
            "ticket.create",
            'url = "https://t.example/"\nbody = {about = "{{ reply }}"}',
            "body: can't be filled for the follow-up of a low score: 'reply' is undefined",
            id="what only own words have",
        ),
    ],
)
def test_a_connector_that_names_what_its_event_never_has_is_a_fault(
    file: Path, connector: str, setting: str, said: str
) -> None:
    told = faults_of(file, f'[connectors."{connector}"]\n{setting}')
    assert len(told) == 1
    assert f'connectors."{connector}".{said}' in told[0]


@pytest.mark.parametrize("folder", ["rest", "zammad", "zendesk"])
@pytest.mark.parametrize("name", ["ticket.satisfaction", "ticket.create"])
def test_the_shipped_connectors_can_be_called(file: Path, folder: str, name: str) -> None:
    text = (config.shipped("rules") / "connectors" / folder / f"{name}.yaml").read_text(encoding="utf-8")
    (file.parent / "connectors").mkdir()
    (file.parent / "connectors" / f"{name}.yaml").write_text(
        re.sub(r"secret_file: .*", "secret_file: secrets/smsc-main", text)
    )
    file.write_text("")
    assert list(config.load(file, {}).connectors) == [name]


@pytest.mark.parametrize(
    "host", ["127.0.0.1:9000", "10.1.2.3", "[::1]:9000", "[fd00::1]", "localhost:9000", "192.168.0.1"]
)
def test_an_inner_address_that_is_not_allowed_is_a_fault(file: Path, host: str) -> None:
    connector = f'[connectors."ticket.create"]\nurl = "http://{host}/tickets"\n'
    told = faults_of(file, connector)
    assert len(told) == 1
    assert told[0].startswith('huiyin.toml:2: connectors."ticket.create".url: ')
    assert "add its network to security.allow_targets" in told[0]
    networks = '["127.0.0.0/8", "10.0.0.0/8", "192.168.0.0/16", "::1/128", "fd00::/8"]'
    file.write_text(f"{connector}[security]\nallow_targets = {networks}")
    assert list(config.load(file, {}).connectors) == ["ticket.create"]


# --- Certificates ----------------------------------------------------------------------------------------


def make_pair(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and its key."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN={name} "
        f"-addext subjectAltName=IP:127.0.0.1 -out {certificate} -keyout {key}".split(),
        check=True,
        capture_output=True,
    )
    return certificate, key


def test_a_certificate_with_its_key_is_taken(file: Path) -> None:
    make_pair(file.parent, "a")
    file.write_text('[http]\ntls_certificate = "a.pem"\ntls_key = "a.key"')
    assert config.server_tls(config.load(file, {})) is not None


@pytest.mark.parametrize(
    ("key", "why"),
    [
        pytest.param("b.key", "the key is another certificate's", id="of another"),
        pytest.param("gone.key", "No such file", id="missing"),
        pytest.param("huiyin.toml", "a file is not PEM, or is encrypted", id="not PEM"),
    ],
)
def test_a_certificate_and_a_key_that_do_not_fit_are_a_fault(file: Path, key: str, why: str) -> None:
    make_pair(file.parent, "a")
    make_pair(file.parent, "b")
    told = faults_of(file, f'[http]\ntls_certificate = "a.pem"\ntls_key = "{key}"')
    assert len(told) == 1
    assert told[0].startswith(f"huiyin.toml:2: http.tls_certificate: a.pem and {key} can't be used: {why}")


def test_a_certificate_of_ours_without_its_key_is_told_as_such(file: Path) -> None:
    make_pair(file.parent, "a")
    smsc = '[smsc.main]\nhost = "h"\nsystem_id = "s"\npassword = "p"\ntls_certificate = "a.pem"'
    assert faults_of(file, smsc) == [
        "huiyin.toml:5: smsc.main.tls_certificate: a.pem can't be used: its key is missing: set tls_key"
    ]


# --- Doubts ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("second", "doubts"),
    [
        pytest.param("", 1, id="the same account"),
        pytest.param("\nport = 2776", 0, id="another port"),
        pytest.param(
            '\nbind = "pair"\nport = 2776\n[smsc.other.receiver]\nport = 2775', 1, id="by its receiver"
        ),
    ],
)
def test_one_account_in_two_sections_is_doubted(file: Path, second: str, doubts: int) -> None:
    file.write_text(SMSC + SMSC.replace("main", "other").rstrip() + second)
    told = config.doubts_of(config.load(file, {}))
    assert len(told) == doubts
    assert all("smsc.other: s at h:2775 is the account of smsc.main too" in each for each in told)


@pytest.mark.parametrize(
    ("bind", "limit", "opened"),
    [
        pytest.param("transceiver", 2, 2, id="a session each"),
        pytest.param("transceiver", 3, 3, id="all fit"),
        pytest.param("pair", 2, 1, id="a pair is two"),
        pytest.param("pair", 5, 2, id="half a pair is none"),
        pytest.param("pair", 6, 3, id="all pairs fit"),
        pytest.param("pair", 1, 1, id="less than one pair can't be opened"),
        pytest.param("pair", 0, 3, id="not known"),
    ],
)
def test_what_a_profile_allows_counts_sessions(file: Path, bind: str, limit: int, opened: int) -> None:
    (file.parent / "rules" / "smsc").mkdir(parents=True)
    (file.parent / "rules" / "smsc" / "mine.yaml").write_text(f"limits: {{binds: {limit}}}")
    file.write_text(f'{SMSC}profile = "mine"\nbinds = 3\nbind = "{bind}"\n')
    settings = config.load(file, {})
    (route,) = routes_of(settings)
    assert route.binds == opened
    told = config.doubts_of(settings)
    assert len(told) == (opened < 3)
    assert all(each.startswith("smsc.main.binds: binds = 3") for each in told)


def test_a_receiver_with_its_own_account_counts_for_itself(file: Path) -> None:
    (file.parent / "rules" / "smsc").mkdir(parents=True)
    (file.parent / "rules" / "smsc" / "mine.yaml").write_text("limits: {binds: 3}")
    pair = 'profile = "mine"\nbinds = 3\nbind = "pair"\n[smsc.main.receiver]\nsystem_id = "rx"'
    file.write_text(SMSC + pair)
    assert [route.binds for route in routes_of(config.load(file, {}))] == [3]


def test_an_authority_that_can_not_be_read_is_a_fault(file: Path) -> None:
    smsc = '[smsc.main]\nhost = "h"\nsystem_id = "s"\npassword = "p"\ntls_ca = "gone.pem"'
    assert faults_of(file, smsc) == [
        "huiyin.toml:5: smsc.main.tls_ca: gone.pem can't be used: No such file or directory"
    ]
