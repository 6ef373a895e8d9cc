"""The cases of the faults campaign: each scripted fault, each habit of receipts, ids, rates and customers'
texts, with the profile that such an SMSC wants, and where it makes sense with the default one too."""

from typing import Final

from gateway.simulator.dialects import NAMED
from tests.torture.faults import Case

_QUICK: Final = "pauses: [300ms, 600ms, 1s]"
_TALKERS: Final = (
    '"861390000"'  #: who write of their own accord: only they, so that no other's answer is copied
)

NO_ID: Final = {
    "receipts without effect": "a receipt without id names no message",
    "receipt lost": "the same",
}
CUT_ID: Final = {"receipts without effect": "the id in such an answer is cut short; receipts name the whole"}
AS_WRITTEN: Final = {
    "words doubled": "SMPP gives a customer's message no id: on one session the second is the customer's own",
    "score written twice": "the same: the second score is written again, and is the same",
}


def _own(code: str, verdict: str, more: str = "") -> str:
    return f"statuses:\n  {code}: {{verdict: {verdict}{more}}}\n"


def _temporary(code: str) -> str:
    return _own(code, "temporary", f", {_QUICK}")


def _fault(text: str) -> str:
    return f"faults: [{{{text}}}]"


ANSWERS: Final = (
    Case(name="drop-before-answer", plays=_fault("do: drop-before-answer, every: 80")),
    Case(name="drop-after-answer", plays=_fault("do: drop-after-answer, every: 80")),
    Case(name="reset", plays=_fault("do: reset, every: 80")),
    Case(name="answer-late", plays=_fault("do: answer-late, share: 0.2, by: 200ms..1s")),
    Case(name="answer-too-late", plays=_fault("do: answer-late, share: 0.1, by: 2s..4s")),
    Case(name="never-answer", plays=_fault("do: never-answer, share: 0.05")),
    Case(name="answer-twice", plays=_fault("do: answer-twice, share: 0.3")),
    Case(name="answer-out-of-order", plays=_fault("do: answer-out-of-order, share: 0.5, by: 50ms..300ms")),
    Case(name="answer-without-id", plays=_fault("do: answer-without-id, share: 0.1")),
    Case(name="unknown-sequence", plays=_fault("do: unknown-sequence, share: 0.05")),
    Case(name="refuse: system error", plays=_fault("do: refuse, share: 0.1"), own=_temporary("ESME_RSYSERR")),
    Case(
        name="refuse: queue full",
        plays=_fault("do: refuse, share: 0.1, status: 0x14"),
        own=_temporary("ESME_RMSGQFUL"),
    ),
    Case(
        name="refuse: queue full means throttled",
        plays=_fault("do: refuse, share: 0.02, status: 0x14"),
        profile="queue-full-is-throttle",
    ),
    Case(name="refuse: throttled", plays=_fault("do: refuse, share: 0.02, status: 0x58")),
    Case(name="refuse: recipient", plays=_fault("do: refuse, share: 0.1, status: 0x0B")),
    Case(
        name="refuse: sender, twice",
        plays=_fault("do: refuse, after: 50, times: 2, status: 0x0A"),
        patience=100,
    ),
    Case(name="refuse: our fault", plays=_fault("do: refuse, share: 0.1, status: 0x01")),
    Case(name="refuse: link", plays=_fault("do: refuse, every: 80, status: 0x04")),
    Case(
        name="refuse: vendor's code, unmapped",
        plays=_fault("do: refuse, share: 0.05, status: 0x0410"),
        patience=60,
    ),
    Case(
        name="refuse: vendor's code, mapped",
        plays=_fault("do: refuse, share: 0.1, status: 0x0410"),
        own=_own("0x0410", "recipient", ", meaning: On the blocklist."),
    ),
    Case(name="nack: system error", plays=_fault("do: nack, share: 0.1"), own=_temporary("ESME_RSYSERR")),
    Case(name="nack: throttled", plays=_fault("do: nack, share: 0.02, status: 0x58")),
    Case(name="garbage", plays=_fault("do: garbage, every: 100")),
    Case(name="garbage-body", plays=_fault("do: garbage-body, share: 0.05")),
    Case(name="bad-length", plays=_fault("do: bad-length, every: 100"), brings=CUT_ID),
    Case(name="long-length", plays=_fault("do: long-length, every: 100")),
    Case(name="cut-pdu", plays=_fault("do: cut-pdu, every: 100")),
    Case(name="half-open", plays=_fault("do: half-open, after: 100, every: 100, times: 2")),
    Case(name="half-open, one bind", plays=_fault("do: half-open, after: 100, times: 1"), binds=1),
    Case(name="half-open for 3 s", plays=_fault("do: half-open, after: 100, every: 100, times: 3, by: 3s")),
    Case(name="deaf", plays=_fault("do: deaf, after: 100, every: 100, times: 2")),
    Case(name="deaf, one bind", plays=_fault("do: deaf, after: 100, times: 1"), binds=1),
    Case(name="deaf for 1 s", plays=_fault("do: deaf, after: 100, every: 100, times: 3, by: 1s")),
    Case(name="slow-reader", plays=_fault("do: slow-reader, every: 100, by: 200ms..1s"), binds=1),
    Case(name="unbind", plays=_fault("do: unbind, every: 80, by: 50ms..300ms")),
    Case(name="unbind-silent", plays=_fault("do: unbind-silent, every: 80")),
    Case(name="receipt-first", plays=_fault("do: receipt-first, share: 0.5, by: 50ms..400ms")),
    Case(name="receipt-first, answer too late", plays=_fault("do: receipt-first, share: 0.1, by: 2s..3s")),
)
BINDS: Final = (
    Case(name="refuse-bind", plays=_fault("do: refuse-bind, times: 2"), binds=2, patience=100),
    Case(name="refuse-bind: system error", plays=_fault("do: refuse-bind, times: 6, status: 0x08"), binds=3),
    Case(name="never-answer-bind", plays=_fault("do: never-answer-bind, times: 2")),
    Case(
        name="max_binds: 1, three wanted",
        plays="accounts: [{system_id: huiyin, max_binds: 1}]",
        binds=3,
    ),
    Case(name="transmitter and receiver", smsc='bind = "pair"\n'),
)
RECEIPTS: Final = (
    Case(name="receipt-twice", plays=_fault("do: receipt-twice, share: 0.5, by: 0s..500ms")),
    Case(name="receipt-contradictory", plays=_fault("do: receipt-contradictory, share: 0.5, by: 0s..500ms")),
    Case(name="receipt-late", plays=_fault("do: receipt-late, share: 0.3, by: 2s..5s")),
    Case(name="receipt-lost", plays=_fault("do: receipt-lost, share: 0.2")),
    Case(name="receipt-intermediate", plays=_fault("do: receipt-intermediate, share: 0.5, by: 200ms..1s")),
    Case(
        name="receipt-intermediate: accepted",
        plays=_fault("do: receipt-intermediate, share: 0.5, by: 200ms..1s, state: accepted"),
    ),
    Case(name="receipt-for-strange-id", plays=_fault("do: receipt-for-strange-id, share: 0.3")),
    Case(name="receipt-no-id", plays=_fault("do: receipt-no-id, share: 0.2"), brings=NO_ID),
    Case(
        name="outcomes of all kinds",
        plays="receipts: {outcomes: {delivered: 6, undeliverable: 1, expired: 1, rejected: 1, deleted: 1}}",
    ),
    Case(name="parts: first", plays="receipts: {parts: first}", profile="first-part-receipts"),
    Case(name="parts: first, default profile", plays="receipts: {parts: first}"),
    Case(name="parts: last", plays="receipts: {parts: last}", profile="last-part-receipts"),
    Case(name="asked on the last sent", profile="last-part-first"),
    Case(name="via: data_sm", plays="receipts: {via: data_sm}"),
    Case(name="via: message_payload", plays="receipts: {via: message_payload}"),
    Case(name="tlvs: false", plays="receipts: {tlvs: false}"),
    Case(name="esm_class: false", plays="receipts: {esm_class: false}", profile="no-tlvs"),
    Case(
        name="days late, ids used again",
        plays="{ids: {reuse: 300}, receipts: {delay: 6h..40h, hasten: 43200}}",
    ),
)
FORMS: Final = tuple(
    Case(
        name=f"form: {form}",
        plays=f"receipts: {{form: {form}, outcomes: {{delivered: 90, undeliverable: 10}}}}",
        profile={
            "leading-zeros": "zero-padded",
            "hex-upper": "zero-padded",
            "own-words": "cmpp-words",
            "source-own-number": "unswapped-receipts",
        }.get(form, "default"),
        messages=250,
    )
    for form in NAMED
    if form != "appendix-b"
)
UNTOLD: Final = tuple(
    Case(
        name=f"form: {form}, default profile",
        plays=f"receipts: {{form: {form}, outcomes: {{delivered: 90, undeliverable: 10}}}}",
        messages=250,
    )
    for form in ("leading-zeros", "hex-upper", "source-own-number")
)
IDS: Final = (
    Case(
        name="ids: hex and decimal",
        plays="ids: {response: hex, receipt: decimal}",
        profile="hex-and-decimal",
    ),
    Case(name="ids: hex and decimal, default profile", plays="ids: {response: hex, receipt: decimal}"),
    Case(
        name="ids: decimal and hex",
        plays="ids: {response: decimal, receipt: hex}",
        own="receipts: {response_id: decimal, receipt_id: hex, prefer_tlv_id: false}\n",
    ),
    Case(name="ids: decimal and hex, default profile", plays="ids: {response: decimal, receipt: hex}"),
    Case(name="ids: 100 used again", plays="{ids: {reuse: 100}, receipts: {delay: 50ms..300ms}}"),
)  # fmt: skip
RATES: Final = (
    Case(name="rate: 100", plays="rate: 100"),
    Case(name="rate: 60, fed with five times as much", plays="rate: 60", rate=120, messages=900, patience=60),
    Case(
        name="rate: 100, status 0x45",
        plays="{rate: 100, throttle_status: 0x45}",
        profile="queue-full-is-throttle",
    ),
    Case(name="rates that change", plays="{rate: 200, rates: [{from: 2s, rate: 40}, {from: 5s, rate: 400}]}"),
    Case(name="burst: 1", plays="{rate: 100, burst: 1}"),
    Case(name="queue: 50", plays="queue: 50", profile="queue-full-is-throttle"),
    Case(name="congestion", plays="{rate: 150, queue: 400, congestion: true}"),
    Case(name="latency: 400ms..1s", plays="latency: 400ms..1s", window=20),
    Case(name="window: 1", plays="window: 1"),
)
TEXTS: Final = (
    *(
        Case(name=f"mo join: {join}", plays=f"mo: {{join: {join}}}", talks=0.5, messages=300)
        for join in ("udh16", "sar", "payload")
    ),
    *(
        Case(
            name=f"mo data_coding: {coding}", plays=f"mo: {{data_coding: {coding}}}", talks=0.5, latin=True,
            messages=200,
        )
        for coding in (0, 1, 3, 4, 8, 0xF1, 0x18)
    ),
    Case(
        name="mo-twice",
        plays=_fault("do: mo-twice, share: 0.3"),
        talks=0.4,
        brings=AS_WRITTEN,
    ),
    Case(name="mo-parts-shuffled", plays=_fault("do: mo-parts-shuffled"), talks=0.5),
    Case(
        name="mo-part-lost",
        plays=_fault(f"do: mo-part-lost, share: 0.5, to: {_TALKERS}"),
        talks=0.3,
        messages=250,
        delivery='reassembly_wait = "10s"\n',
        quiet=14.0,
    ),
    Case(name="mo-part-late", plays=_fault("do: mo-part-late, share: 0.5, by: 1s..4s"), talks=0.4),
    Case(
        name="mo-other-sender-same-reference",
        plays=_fault(f"do: mo-other-sender-same-reference, to: {_TALKERS}"),
        talks=0.4,
    ),
    *(
        Case(name=f"long texts by {profile}", profile=profile, messages=300)
        for profile in ("sar", "udh16", "payload", "strict-3.4", "no-tlvs")
    ),
)  # fmt: skip
_SECOND: Final = (
    '[smsc.other]\nhost = "127.0.0.1"\nport = OTHER\nsystem_id = "huiyin"\npassword = "huiyin"\n'
    "allow_plaintext = true\n\n"
)
_BACKUP: Final = _SECOND + '[[routing]]\nto = ["main"]\nbackup = ["other"]\n'
_BOTH: Final = _SECOND + '[[routing]]\nto = ["main", "other"]\n'
LOGINS: Final = (
    Case(
        name="the password is wrong at first",
        plays="accounts: [{system_id: huiyin, password: another}]",
        wrong="password",
    ),
    Case(name="its certificate's authority is not known at first", wrong="authority"),
)
TWO: Final = (
    Case(
        name="two SMSCs: the first is deaf again and again",
        plays=_fault("do: deaf, every: 40"),
        other="",
        sections=_BACKUP,
    ),
    Case(
        name="two SMSCs: the first refuses everything",
        plays=_fault("do: refuse"),
        own=_temporary("ESME_RSYSERR"),
        other="",
        sections=_BACKUP,
    ),
    Case(
        name="two SMSCs: the first refuses binds",
        plays=_fault("do: refuse-bind, status: 0x08, until: 5s"),
        other="",
        sections=_BACKUP,
    ),
    Case(
        name="two SMSCs: one drops links",
        plays=_fault("do: drop-before-answer, every: 50"),
        other="",
        sections=_BOTH,
    ),
)
ALL: Final = (*ANSWERS, *BINDS, *RECEIPTS, *FORMS, *UNTOLD, *IDS, *RATES, *TEXTS, *LOGINS, *TWO)
BY_NAME: Final = {case.name: case for case in ALL}
