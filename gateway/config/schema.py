"""What can be set: one typed record a section of huiyin.toml, each setting with its words."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct, field, structs

ROLES: Final = ("api", "sender")


class Secret:
    """A text that opens doors: shown by `reveal()` alone, never by print, repr or an error."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)" if self._text else "Secret(empty)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __bool__(self) -> bool:
        return bool(self._text)


EMBEDDED: Final = Secret("embedded")
NONE: Final = Secret("")
LISTEN: Final = r"^(\[[0-9A-Fa-f:.]+\]|[^\s:]*):[0-9]{1,5}$"

# Kinds of values that several sections share. A duration is written "60s", "15m", "72h", "7d" or in ISO 8601.
Port = Annotated[int, Meta(ge=1, le=65535)]
Country = Annotated[str, Meta(pattern=r"^[A-Z]{2}$", examples=["CN"])]


def says(words: str, **bounds: Any) -> Meta:
    """The sentence that explains a setting, with the bounds of its value."""
    return Meta(description=words, **bounds)


class Database(Struct, frozen=True, kw_only=True):
    """Where everything that must survive a power cut is kept."""

    dsn: Annotated[Secret, says('"embedded" (our own PostgreSQL) or postgresql://…, version 15 or newer')] = (
        EMBEDDED
    )
    folder: Annotated[str, says("where the embedded PostgreSQL keeps its data, beside this file")] = ".huiyin"
    connections: Annotated[int, says("connections that one process keeps", ge=2, le=500)] = 10

    @property
    def embedded(self) -> bool:
        return self.dsn == EMBEDDED


class Http(Struct, frozen=True, kw_only=True):
    """The HTTP interface."""

    listen: Annotated[str, says("address and port", pattern=LISTEN, examples=["127.0.0.1:8080"])] = (
        "127.0.0.1:8080"
    )
    tls_certificate: Annotated[str, says("PEM file with the chain; empty: plain HTTP, behind a proxy")] = ""
    tls_key: Annotated[str, says("PEM file with the key")] = ""
    rate: Annotated[int, says("calls a second for a key that has no rate of its own; 0: no limit", ge=0)] = 0


class Receiver(Struct, frozen=True, kw_only=True):
    """The receiving half of a pair, where it differs; what is empty is as in the section above."""

    host: Annotated[str, says("name or address")] = ""
    port: Annotated[Port | None, says("port")] = None
    system_id: Annotated[str, says("account", max_length=15)] = ""
    password: Annotated[Secret, says("its password")] = NONE


class Smsc(Struct, frozen=True, kw_only=True):
    """An SMS centre and our account there. The name is the route's: it stands in logs, figures and rules, and
    is of letters, digits, `-`, `_` and `.`.

    An account stands in one section, with as many `binds` as it may have: an SMSC gives receipts and replies
    to any session of the account that sent, and a receipt that comes by another section's matches nothing
    there: it counts in `huiyin_receipts_unmatched`. `huiyin check` warns of it.
    """

    host: Annotated[str, says("name or address of the SMSC", min_length=1)]
    system_id: Annotated[str, says("our account (SMPP 3.4 §5.2.1)", min_length=1, max_length=15)]
    port: Annotated[Port, says("port")] = 2775
    password: Annotated[
        Secret, says("our password, at most 8 octets by the standard; many SMSCs take more")
    ] = NONE
    system_type: Annotated[str, says("what the SMSC expects there, often nothing", max_length=12)] = ""
    address_range: Annotated[str, says("numbers whose messages come to this bind", max_length=40)] = ""
    bind: Annotated[
        Literal["transceiver", "pair", "transmitter", "receiver"],
        says("how we log in; a pair is a transmitter and a receiver"),
    ] = "transceiver"
    receiver: Annotated[Receiver | None, says("for a pair: the receiver's own address or account")] = None
    binds: Annotated[
        int,
        says("sessions, or pairs of two sessions each, at a time; no more than the SMSC allows", ge=1, le=64),
    ] = 1
    window: Annotated[int, says("requests without their response, a session", ge=1, le=10_000)] = 100
    rate: Annotated[int, says("PDUs a second and session; 0: no limit of ours", ge=0)] = 0
    profile: Annotated[str, says("habits of this SMSC: a file in rules/smsc/, see docs/smpp.md")] = "default"
    tls: Annotated[
        Literal["verify", "verify-ca", "off"] | None,
        says("certificate and host name are verified; the certificate alone; or no TLS. "
             "Left out: verify, and off with allow_plaintext"),
    ] = None  # fmt: skip
    allow_plaintext: Annotated[bool, says("permits no TLS: password and texts travel in the clear")] = False
    tls_ca: Annotated[
        str, says("PEM file of the authority that signed its certificate; empty: the system's")
    ] = ""
    tls_server_name: Annotated[str, says("name in its certificate; empty: the host")] = ""
    tls_certificate: Annotated[
        str, says("PEM file with our own certificate, for an SMSC that wants to see one")
    ] = ""
    tls_key: Annotated[str, says("PEM file with its key")] = ""
    enquire_link: Annotated[timedelta, says("silence after which we ask whether the link lives")] = timedelta(
        seconds=30
    )


class Sender(Struct, frozen=True, kw_only=True):
    """A number of ours. `default` is used where a message names none."""

    number: Annotated[
        str,
        says(
            "short code, or up to 11 letters",
            pattern=r"^[0-9]{2,20}$|^[0-9A-Za-z ]{2,11}$",
            examples=["10086"],
            extra={"wanted": "2 to 20 digits, or 2 to 11 letters, digits and blanks"},
        ),
    ]
    extensions: Annotated[
        int, says("digits that the SMSC lets us append, so that each reply finds home; 0: none", ge=0, le=6)
    ] = 0
    rate: Annotated[
        int, says("PDUs a second over all SMSCs, a long text counting each part; 0: no limit of ours", ge=0)
    ] = 0


class Routing(Struct, frozen=True, kw_only=True):
    """One line of the routing table, written once for each: which messages, and which SMSCs may carry them.

    Messages look for theirs from the top, and the first that fits is taken; what is left out fits all.
    Messages that none fits go by any SMSC.
    """

    to: Annotated[
        dict[str, int] | list[str],
        says(
            "SMSCs that carry them: `{main = 3, other = 1}` keeps to these shares, waiting for the slower; "
            '`["main", "other"]` gives to whichever has room'
        ),
    ]
    name: Annotated[str, says("for people, and of no other line; empty: its place in the table")] = ""
    prefixes: Annotated[list[str], says("beginnings of customers' numbers, country code first, as 86139")] = (
        field(default_factory=list)
    )
    lanes: Annotated[
        list[Literal["emergency", "transactional", "service", "survey", "marketing"]], says("traffic classes")
    ] = field(default_factory=list)
    senders: Annotated[list[str], says("senders of ours by name or number, with any extension")] = field(
        default_factory=list
    )
    backup: Annotated[
        list[str],
        says("SMSCs that stand in, the first that works, when all in `to` are down or failing for 5 s"),
    ] = field(default_factory=list)


class Success(Struct, frozen=True, kw_only=True):
    """How a connector's answer is read. Without anything: each 2xx is a success."""

    statuses: Annotated[list[int], says("HTTP statuses that are a success; empty: 200 to 299")] = field(
        default_factory=list
    )
    pointer: Annotated[
        str,
        says("JSON pointer into the answer, as /result/code", pattern=r"^(/.*)?$", examples=["/result/code"]),
    ] = ""
    equals: Annotated[Any, says("what must stand at the pointer; nothing: that it exists")] = None


class Connector(Struct, frozen=True, kw_only=True):
    """A call into a system of the operator's. Strings of url, headers and body are templates over the event.

    Called by name: `ticket.satisfaction`, `ticket.create`, `service.activate`, `service.cancel`, `lookup.…`.
    """

    url: Annotated[
        str, says("where to", pattern=r"^https?://", examples=["https://tickets.example/{{ ticket.id }}"])
    ]
    method: Annotated[Literal["GET", "POST", "PUT", "PATCH", "DELETE"], says("HTTP method")] = "POST"
    headers: Annotated[dict[str, str], says("further headers")] = field(default_factory=dict)
    body: Annotated[Any, says("JSON body; none: all that is known, under plain names")] = None
    secret: Annotated[Secret, says("what `{{ secret }}` stands for")] = NONE
    secrets: Annotated[
        dict[str, Secret], says("further ones: `{{ secrets.token }}`, given as token or token_file")
    ] = field(default_factory=dict)
    success: Annotated[Success, says("how the answer is read")] = Success()
    result: Annotated[
        str,
        says(
            "JSON pointer to what is wanted, as the new ticket's number",
            pattern=r"^(/.*)?$",
            examples=["/result/code"],
        ),
    ] = ""
    timeout: Annotated[timedelta, says("for one call, answer included")] = timedelta(seconds=10)
    retry_for: Annotated[timedelta, says("how long to try; then it is parked for a person")] = timedelta(
        days=3
    )
    first_pause: Annotated[timedelta, says("before the second try; each further one doubles")] = timedelta(
        seconds=2
    )
    longest_pause: Annotated[timedelta, says("no pause is longer")] = timedelta(hours=1)
    concurrency: Annotated[int, says("calls at a time", ge=1, le=1000)] = 8
    breaker_failures: Annotated[int, says("failures in a row that open the breaker", ge=1)] = 5
    breaker_pause: Annotated[timedelta, says("how long an open breaker rests before one trial")] = timedelta(
        seconds=30
    )

    def definition(self) -> dict[str, Any]:
        """Plain values, secrets revealed, for whoever compiles the connector."""
        plain = structs.asdict(self)
        plain["secret"] = self.secret.reveal()
        plain["secrets"] = {name: secret.reveal() for name, secret in self.secrets.items()}
        plain["success"] = structs.asdict(self.success)
        return plain


class Security(Struct, frozen=True, kw_only=True):
    """What connectors and webhooks may reach."""

    allow_targets: Annotated[
        list[str], says('inner networks that may be called, as "10.1.0.0/16"; public addresses always may')
    ] = field(default_factory=list)


class Delivery(Struct, frozen=True, kw_only=True):
    """How the way to the phone deals with silence."""

    unknown_wait: Annotated[
        timedelta, says("wait for a late response or receipt before a ticket notice is sent once more")
    ] = timedelta(seconds=60)
    response_timeout: Annotated[timedelta, says("a request without response is unknown after this")] = (
        timedelta(seconds=10)
    )
    valid_for: Annotated[
        timedelta, says("a message that could not be delivered by then expires, unless it says itself")
    ] = timedelta(hours=48)
    reassembly_wait: Annotated[
        timedelta, says("how long parts of a reply wait for their others; 10s to 1d")
    ] = timedelta(minutes=10)
    early_receipts: Annotated[timedelta, says("how long a receipt that matches nothing yet is kept")] = (
        timedelta(days=7)
    )


class Node(Struct, frozen=True, kw_only=True):
    """This process among others."""

    name: Annotated[str, says("its name, one of a kind; empty: the host's name")] = ""
    roles: Annotated[
        list[Literal["api", "sender"]],
        says("what it does: answers HTTP, or sends and receives; empty: everything"),
    ] = field(default_factory=list)
    lease: Annotated[
        timedelta, says("without a sign of life for so long, others take over its work; 5s to 5m")
    ] = timedelta(seconds=10)


class Retention(Struct, frozen=True, kw_only=True):
    """How long what is kept; then it is removed."""

    messages: Annotated[timedelta, says("messages: numbers, texts and histories")] = timedelta(days=180)
    replies: Annotated[timedelta, says("replies as they came")] = timedelta(days=180)
    evidence: Annotated[
        timedelta, says("evidence of paid confirmations: numbers, texts and octets of their own; five years")
    ] = timedelta(days=1826)


class Templates(Struct, frozen=True, kw_only=True):
    """The texts."""

    language: Annotated[
        str, says("where a customer's is not known", pattern=r"^[a-z]{2}(-[A-Z]{2})?$", examples=["zh-CN"])
    ] = "zh-CN"
    signature: Annotated[
        str | dict[str, str],
        says('who writes; or by language: {zh = "【…】", en = "[…]"}; empty: the shipped'),
    ] = ""


class Regions(Struct, frozen=True, kw_only=True):
    """Whose customers we write to."""

    home: Annotated[Country, says("country of numbers written without a country code")] = "CN"
    accept: Annotated[list[Country], says("countries that we send to; empty: home alone")] = field(
        default_factory=list
    )
    time_zone: Annotated[str, says("whose days reports count by", examples=["Asia/Shanghai"])] = (
        "Asia/Shanghai"
    )


class Log(Struct, frozen=True, kw_only=True):
    """What it tells while it runs, on standard error."""

    level: Annotated[Literal["debug", "info", "warning", "error"], says("from which weight on")] = "info"
    style: Annotated[Literal["json", "console"], says("one JSON object a line, or for people")] = "json"


class Settings(Struct, frozen=True, kw_only=True):
    """All of it. `home` is the folder of the file: other paths are relative to it."""

    database: Database = Database()
    http: Http = Http()
    smsc: dict[str, Smsc] = field(default_factory=dict)
    senders: dict[str, Sender] = field(default_factory=dict)
    routing: list[Routing] = field(default_factory=list)
    connectors: dict[str, Connector] = field(default_factory=dict)
    security: Security = Security()
    delivery: Delivery = Delivery()
    templates: Templates = Templates()
    regions: Regions = Regions()
    node: Node = Node()
    retention: Retention = Retention()
    log: Log = Log()
    home: Path = Path()

    def path(self, name: str) -> Path:
        """A path of the configuration, taken from the folder of its file."""
        return self.home / name
