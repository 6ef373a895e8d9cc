"""Delivery receipts as SMSCs really write them (SMPP 3.4 appendix B and its many dialects): read without
ever raising, written for the simulator, and their ids made comparable."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final, Literal

import msgspec

from gateway.smpp import constants as c
from gateway.smpp import tlv
from gateway.smpp.constants import MessageState, Tag
from gateway.smpp.pdu import DataSm, DeliverSm


class State(StrEnum):
    """What a receipt says of the message. Only DELIVERED means that the handset has it."""

    SCHEDULED = "SCHEDULED"
    ENROUTE = "ENROUTE"
    DELIVERED = "DELIVERED"
    EXPIRED = "EXPIRED"
    DELETED = "DELETED"
    UNDELIVERABLE = "UNDELIVERABLE"
    ACCEPTED = "ACCEPTED"
    UNKNOWN = "UNKNOWN"
    REJECTED = "REJECTED"
    SKIPPED = "SKIPPED"


#: States after which no further receipt is due (SMPP 3.4 §5.2.28). ACCEPTED is what the SMSC's operator
#: reads in the customer's place, UNKNOWN may yet become anything.
FINAL_STATES: Final = frozenset(
    {
        State.DELIVERED,
        State.EXPIRED,
        State.DELETED,
        State.UNDELIVERABLE,
        State.REJECTED,
        State.SKIPPED,
    }
)

# Words of appendix B first, then those of SMSCs that write them out or in their own way.
WORDS: Final[Mapping[str, State]] = {
    "DELIVRD": State.DELIVERED,
    "EXPIRED": State.EXPIRED,
    "DELETED": State.DELETED,
    "UNDELIV": State.UNDELIVERABLE,
    "ACCEPTD": State.ACCEPTED,
    "UNKNOWN": State.UNKNOWN,
    "REJECTD": State.REJECTED,
    "ENROUTE": State.ENROUTE,
    "SCHEDLD": State.SCHEDULED,
    "SKIPPED": State.SKIPPED,
    "DELIVERED": State.DELIVERED,
    "UNDELIVERABLE": State.UNDELIVERABLE,
    "UNDELIVERED": State.UNDELIVERABLE,
    "UNDELVD": State.UNDELIVERABLE,
    "ACCEPTED": State.ACCEPTED,
    "REJECTED": State.REJECTED,
    "SCHEDULED": State.SCHEDULED,
    "BUFFERED": State.ENROUTE,
    "BUFFRED": State.ENROUTE,
    "BUFFERD": State.ENROUTE,
    "ACKED": State.ACCEPTED,
    "FAILED": State.UNDELIVERABLE,
}
_BY_NUMBER: Final = {int(state): State[state.name] for state in MessageState}
_WIRE_WORDS: Final = {
    State.SCHEDULED: "SCHEDLD",
    State.DELIVERED: "DELIVRD",
    State.UNDELIVERABLE: "UNDELIV",
    State.ACCEPTED: "ACCEPTD",
    State.REJECTED: "REJECTD",
}


def _says(words: str) -> msgspec.Meta:
    """The sentence that explains a setting; docs/smpp.md is written from it."""
    return msgspec.Meta(description=words)


class IdForm(StrEnum):
    """How one side of an SMSC writes the number that a message id is."""

    OPAQUE = "opaque"  #: no number, or written alike everywhere
    DECIMAL = "decimal"
    HEX = "hex"


class Habits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an SMSC writes its delivery receipts, and for which parts of a long text."""

    without_esm_class: Annotated[
        bool,
        _says("they come without esm_class saying so: what has an id, a state and a date is one"),
    ] = False
    prefer_tlv_id: Annotated[
        bool, _says("receipted_message_id counts before the text's id; false: the text's does")
    ] = True
    prefer_tlv_state: Annotated[
        bool,
        _says("message_state counts before the text's stat; false: only where the text's word is unknown"),
    ] = False
    words: Annotated[
        dict[str, State],
        _says("state words of this SMSC, before the known ones; `*` at the end stands for any rest: `MK:*`"),
    ] = {}
    response_id: Annotated[IdForm, _says("how submit_sm_resp writes the number that an id is")] = (
        IdForm.OPAQUE
    )
    receipt_id: Annotated[IdForm, _says("how receipts write it")] = IdForm.OPAQUE
    ignore_zeros: Annotated[bool, _says("zeros before an id do not count")] = False
    ignore_case: Annotated[bool, _says("letters of an id are the same in either case")] = False
    accepted_is_final: Annotated[
        bool,
        _says(
            "ACCEPTD is the last word, and the message counts as delivered; false: another receipt follows"
        ),
    ] = False
    customer: Annotated[
        Literal["source", "destination"],
        _says("which address of a receipt is the customer's; by the standard the source, as of a reply"),
    ] = "source"
    parts: Annotated[
        Literal["each", "first", "last"], _says("for which part of a long text the SMSC reports")
    ] = "each"
    ask: Annotated[
        Literal["each", "last-sent"], _says("for which part of a long text we ask for a receipt")
    ] = "each"


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery receipt. `message_id` is as the SMSC wrote it; dates are its digits, in its own time."""

    message_id: str
    state: State
    #: The state's word as it came; empty when only the TLV told it.
    word: str = ""
    final: bool
    err: str = ""
    submit_date: str = ""
    done_date: str = ""
    sub: str = ""
    dlvrd: str = ""
    text: str = ""


# The form of appendix B, to the letter, which nearly all receipts have. Each piece is bounded and excludes
# what follows it, so the match takes one pass.
_USUAL: Final = re.compile(
    r"id:([^ :,;|&=]{1,65}) sub:(\d{1,3}) dlvrd:(\d{1,3}) submit date:(\d{10,14}) done date:(\d{10,14})"
    r" stat:([A-Z]{5,13}) err:(\w{1,16}) [Tt]ext:"
).match
_KEY: Final = (
    r"(?:(?:message|msg)_?)?id|sub|dlvrd|submit[ _]?date|done[ _]?date"
    r"|(?:message_?)?stat(?:e|us)?|err(?:or)?(?:_?code)?"
)
_NEXT: Final = rf"(?:{_KEY}|text)[ \t]*[:=]"
# A value runs to the next blank, or to a separator before the next key, because an id may hold any sign.
_PAIR: Final = rf"({_KEY})[ \t]*[:=][ \t]*((?!{_NEXT})(?:(?![,;|&][ \t]*{_NEXT})\S)*)"
# A key begins the text or follows a separator, so that "paid:" is none.
_FIELD: Final = re.compile(rf"(?:^|(?<=[\s,;|&])){_PAIR}", re.IGNORECASE)
_FIELD_HERE: Final = re.compile(_PAIR, re.IGNORECASE)
_TEXT: Final = re.compile(r"(?:^|(?<=[\s,;|&]))text[ \t]*[:=]", re.IGNORECASE)
_SEPARATORS: Final = " \t\r\n,;|&"
_DATE: Final = re.compile(r"[0-9]{10}(?:[0-9]{2}){0,2}").fullmatch
_ABSOLUTE_TIME: Final = re.compile(r"([0-9]{12})[0-9]{3}[-+]").fullmatch
_DECIMAL_OCTETS: Final = re.compile(rb"[0-9]{3}").fullmatch
_DECIMAL: Final = re.compile(r"[0-9]{1,255}").fullmatch
_HEX: Final = re.compile(r"[0-9A-Fa-f]{1,255}").fullmatch
_MAX_TEXT: Final = 2048
# Both bits at once are reserved, and say all the same that no customer wrote this.
_RECEIPT_TYPES: Final = frozenset(
    {
        c.ESM_DELIVERY_RECEIPT,
        c.ESM_INTERMEDIATE_NOTIFICATION,
        c.ESM_DELIVERY_RECEIPT | c.ESM_INTERMEDIATE_NOTIFICATION,
    }
)
DEFAULT: Final = Habits()


def parse(pdu: DeliverSm | DataSm, habits: Habits = DEFAULT) -> Receipt | None:
    """The receipt in a deliver_sm or data_sm; None when it is a customer's message. Never raises.

    What the esm_class calls a receipt is one even if nothing can be read in it: then the id is empty and
    the state UNKNOWN, so that it is kept and shown, and never taken for a customer's words.
    """
    declared = pdu.esm_class & c.ESM_TYPE_MASK in _RECEIPT_TYPES
    tlvs = pdu.tlvs
    if not declared and not habits.without_esm_class and Tag.RECEIPTED_MESSAGE_ID not in tlvs:
        return None
    fields = _read(_text_of(pdu))
    tlv_id = tlv_state = None
    if tlvs:
        tlv_id = tlv.text(tlvs, Tag.RECEIPTED_MESSAGE_ID)
        number = tlv.octet(tlvs, Tag.MESSAGE_STATE)
        tlv_state = None if number is None else _BY_NUMBER.get(number)
        if not fields.get("err"):
            fields["err"] = _network_error(tlvs)
    declared = declared or bool(tlv_id and tlv_state is not None)
    if not declared and not (habits.without_esm_class and _looks_like_one(fields)):
        return None
    word = fields.get("stat", "").strip("\"'.()[]").upper()
    state = (_own_state(word, habits.words) if habits.words else None) or WORDS.get(word)
    if tlv_state is not None and (state is None or habits.prefer_tlv_state):
        state = tlv_state
    ids = (tlv_id, fields.get("id")) if habits.prefer_tlv_id else (fields.get("id"), tlv_id)
    state = state or State.UNKNOWN
    intermediate = pdu.esm_class & c.ESM_TYPE_MASK == c.ESM_INTERMEDIATE_NOTIFICATION
    return Receipt(
        message_id=ids[0] or ids[1] or "",
        state=state,
        word=word,
        final=_is_final(state, habits, intermediate=intermediate),
        err=fields.get("err", ""),
        submit_date=_digits(fields.get("submit date", "")),
        done_date=_digits(fields.get("done date", "")),
        sub=fields.get("sub", ""),
        dlvrd=fields.get("dlvrd", ""),
        text=fields.get("text", ""),
    )


def _own_state(word: str, words: Mapping[str, State]) -> State | None:
    """By the SMSC's own words: the very one, else the longest beginning that has a `*` behind it."""
    state = words.get(word)
    if state is None:
        for length in range(len(word), -1, -1):
            if (state := words.get(f"{word[:length]}*")) is not None:
                break
    return state


def _is_final(state: State, habits: Habits, *, intermediate: bool) -> bool:
    """An intermediate notification tells of one attempt (SMPP 3.4 §2.11), but delivered is delivered."""
    if state is State.DELIVERED:
        return True
    if state is State.ACCEPTED:
        return habits.accepted_is_final and not intermediate
    return state in FINAL_STATES and not intermediate


def _looks_like_one(fields: Mapping[str, str]) -> bool:
    """Whether it reads as a receipt though no esm_class says so; a word with an id is not enough."""
    dated = "submit date" in fields or "done date" in fields
    return bool(fields.get("id") and fields.get("stat") and dated)


def _text_of(pdu: DeliverSm | DataSm) -> str:
    octets = getattr(pdu, "short_message", b"") or pdu.tlvs.get(Tag.MESSAGE_PAYLOAD, b"")
    if pdu.esm_class & c.ESM_UDHI and octets:
        octets = octets[1 + octets[0] :]
    # Some write receipts in UCS-2, some only say so: a field's name in UCS-2 begins with a zero octet, or
    # has one second.
    if octets[:1] == b"\0":
        text = octets[: 2 * _MAX_TEXT].decode("utf-16-be", "replace")
    elif octets[1:2] == b"\0":
        text = octets[: 2 * _MAX_TEXT].decode("utf-16-le", "replace")
    else:
        text = octets[:_MAX_TEXT].decode("latin-1")
    return text.replace("\0", "")  # padding, and no database would take it


def _read(text: str) -> dict[str, str]:
    """The fields by their names in appendix B. Nothing from `text:` on can give an id."""
    usual = _USUAL(text)
    if usual is not None:
        message_id, sub, dlvrd, submitted, done, stat, err = usual.groups()
        return {
            "id": message_id,
            "sub": sub,
            "dlvrd": dlvrd,
            "submit date": submitted,
            "done date": done,
            "stat": stat,
            "err": err,
            "text": text[usual.end() :],
        }
    cut = _TEXT.search(text)
    fields: dict[str, str] = {}
    for found in _FIELD.finditer(text, 0, cut.start() if cut else len(text)):
        fields.setdefault(_canonical(found[1]), _unquoted(found[2].rstrip(",;|&")))
    fields["text"] = text[cut.end() :] if cut else ("" if fields else text)
    if cut is not None and len(fields) > 1 and not fields.get("stat"):
        _read_behind_empty_text(text, cut.end(), fields)
    return fields


def _read_behind_empty_text(text: str, at: int, fields: dict[str, str]) -> None:
    """Fields that stand behind `text:` count when nothing but fields stands there, and never the id."""
    behind: dict[str, str] = {}
    end = len(text)
    while at < end:
        if text[at] in _SEPARATORS:
            at += 1
            continue
        found = _FIELD_HERE.match(text, at)
        if found is None:
            return
        behind.setdefault(_canonical(found[1]), found[2].rstrip(",;|&"))
        at = found.end()
    behind.pop("id", None)
    if behind.get("stat"):
        fields.update({key: value for key, value in behind.items() if not fields.get(key)})
        fields["text"] = ""


def _unquoted(value: str) -> str:
    """Without the quotes around the whole of it, which are the form's and not the id's."""
    return value[1:-1] if len(value) > 2 and value[0] == value[-1] and value[0] in "\"'" else value


def _canonical(key: str) -> str:
    key = key.lower()
    for start, name in (("submit", "submit date"), ("done", "done date"), ("sub", "sub"), ("err", "err")):
        if key.startswith(start):
            return name
    if "stat" in key:
        return "stat"
    return "id" if key.endswith("id") else key


def _digits(date: str) -> str:
    """The date's digits; of an absolute time (SMPP 3.4 §7.1.1) those of its seconds and before."""
    if _DATE(date):
        return date
    absolute = _ABSOLUTE_TIME(date)
    return absolute[1] if absolute else ""


def _network_error(tlvs: Mapping[int, bytes]) -> str:
    """network_error_code: one octet for the kind of network, two for its code (SMPP 3.4 §5.3.2.31).

    Zeros behind them are padding; three digits are the code itself, as some SMSCs write it.
    """
    value = tlvs.get(Tag.NETWORK_ERROR_CODE, b"")
    if len(value) < 3 or any(value[3:]):
        return ""
    return value.decode() if _DECIMAL_OCTETS(value) else str(int.from_bytes(value[1:3], "big"))


# Ids


def response_key(message_id: str, habits: Habits) -> str:
    """What an id of submit_sm_resp is looked up by."""
    return _key(message_id, habits.response_id, habits)


def receipt_key(message_id: str, habits: Habits) -> str:
    """What an id of a receipt is looked up by."""
    return _key(message_id, habits.receipt_id, habits)


def same_id(responded: str, receipted: str, habits: Habits) -> bool:
    """Whether a receipt's id names the message that a submit_sm_resp named."""
    return bool(responded) and response_key(responded, habits) == receipt_key(receipted, habits)


def alike(responded: str, receipted: str) -> bool:
    """Whether two ids may be one, written in ways that no setting names: hex here and decimal there, with
    other zeros, in another case. To be asked of the messages of one customer only, not to search by.
    """
    if responded.lstrip("0").lower() == receipted.lstrip("0").lower():
        return True
    return any(
        _HEX(hexadecimal) and _DECIMAL(decimal) and int(hexadecimal, 16) == int(decimal)
        for hexadecimal, decimal in ((responded, receipted), (receipted, responded))
    )


def _key(message_id: str, form: IdForm, habits: Habits) -> str:
    """Numbers become decimal, however long they are; what is no number is compared as it stands."""
    if form is IdForm.HEX and _HEX(message_id):
        return str(int(message_id, 16))
    if form is IdForm.DECIMAL and _DECIMAL(message_id):
        return str(int(message_id))
    if habits.ignore_zeros:
        message_id = message_id.lstrip("0") or message_id[:1]
    return message_id.lower() if habits.ignore_case else message_id


# Writing


def write(
    message_id: str,
    state: State,
    *,
    submit_date: str,
    done_date: str,
    err: str = "000",
    text: str = "",
    sub: str = "001",
    dlvrd: str | None = None,
) -> bytes:
    """The text of a receipt in the form of appendix B; `text` is cut to its 20 signs."""
    if dlvrd is None:
        dlvrd = "001" if state is State.DELIVERED else "000"
    return (
        f"id:{message_id} sub:{sub} dlvrd:{dlvrd} submit date:{submit_date} done date:{done_date} "
        f"stat:{word_of(state)} err:{err} text:{text[:20]}"
    ).encode("latin-1", "replace")


def word_of(state: State) -> str:
    """The state's word in appendix B: DELIVRD for DELIVERED."""
    return _WIRE_WORDS.get(state, state.value)


def write_tlvs(message_id: str, state: State) -> dict[int, bytes]:
    """The parameters that say the same (SMPP 3.4 §5.3.2.12, §5.3.2.35)."""
    return {
        int(Tag.RECEIPTED_MESSAGE_ID): message_id.encode("latin-1", "replace") + b"\0",
        int(Tag.MESSAGE_STATE): bytes((MessageState[state.name],)),
    }
