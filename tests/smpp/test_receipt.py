"""Receipts as SMSCs write them: each row is a habit that some SMSC has, or a forgery that must fail."""

# ruff: noqa: E501 - one habit a line, so that the table can be read down its columns

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.smpp import receipt
from gateway.smpp.constants import MessageState, Tag
from gateway.smpp.pdu import DataSm, DeliverSm
from gateway.smpp.receipt import Habits, IdForm, Receipt, State

D = "submit date:2611220944 done date:2611220945"


def read(text: str | bytes, habits: Habits = receipt.DEFAULT, **fields: Any) -> Receipt | None:
    octets = text.encode("latin-1") if isinstance(text, str) else text
    return receipt.parse(DeliverSm(**{"esm_class": 4, "short_message": octets, **fields}), habits)


# (text, id, state, err)
LINES = [
    pytest.param(f"id:0123456789 sub:001 dlvrd:001 {D} stat:DELIVRD err:000 text:hello", "0123456789", State.DELIVERED, "000", id="appendix B"),
    pytest.param(f"id:0123456789 sub:001 dlvrd:001 {D} stat:DELIVRD err:000 Text:hello", "0123456789", State.DELIVERED, "000", id="Text with a capital"),
    pytest.param("ID:0123456789 SUB:001 DLVRD:001 SUBMIT DATE:2611220944 DONE DATE:2611220945 STAT:DELIVRD ERR:000 TEXT:", "0123456789", State.DELIVERED, "000", id="all capitals"),
    pytest.param("Id:1 Sub:1 Dlvrd:1 Submit Date:2611220944 Done Date:2611220945 Stat:Delivrd Err:0 Text:", "1", State.DELIVERED, "0", id="words begin with capitals"),
    pytest.param(f"id:7F3A sub:001 dlvrd:000 {D} stat:undeliv err:069 text:", "7F3A", State.UNDELIVERABLE, "069", id="state in small letters"),
    pytest.param(f"id:0000000042 sub:001 dlvrd:001 {D} stat:DELIVRD err:000 text:", "0000000042", State.DELIVERED, "000", id="leading zeros"),
    pytest.param(f"id:c449ab9744f47b6af1879e49e75e4f40 sub:001 dlvrd:0 {D} stat:ACCEPTD err:0 text:x", "c449ab9744f47b6af1879e49e75e4f40", State.ACCEPTED, "0", id="id in 32 hex digits"),
    pytest.param(f"id:550e8400-e29b-41d4-a716-446655440000 sub:001 dlvrd:001 {D} stat:DELIVRD err:000 text:", "550e8400-e29b-41d4-a716-446655440000", State.DELIVERED, "000", id="id is a UUID"),
    pytest.param(f"id:18446744073709551617 sub:001 dlvrd:001 {D} stat:DELIVRD err:000 text:", "18446744073709551617", State.DELIVERED, "000", id="id beyond 64 bits"),
    pytest.param(f"id:a,b;c|d&e=f:g sub:001 dlvrd:001 {D} stat:DELIVRD err:000 text:", "a,b;c|d&e=f:g", State.DELIVERED, "000", id="id with every separator"),
    pytest.param(f"id:abc@smsc.example sub:001 dlvrd:001 {D} stat:DELIVRD err:000 text:", "abc@smsc.example", State.DELIVERED, "000", id="id like a mail address"),
    pytest.param(f"id:1 sub:001 dlvrd:000 {D} stat:EXPIRED err:000 text:", "1", State.EXPIRED, "000", id="expired"),
    pytest.param(f"id:1 sub:001 dlvrd:000 {D} stat:DELETED err:000 text:", "1", State.DELETED, "000", id="deleted"),
    pytest.param(f"id:1 sub:001 dlvrd:000 {D} stat:REJECTD err:08A text:", "1", State.REJECTED, "08A", id="rejected with a hex err"),
    pytest.param(f"id:1 sub:001 dlvrd:000 {D} stat:UNKNOWN err:000 text:", "1", State.UNKNOWN, "000", id="unknown as its word"),
    pytest.param(f"id:1 sub:001 dlvrd:000 {D} stat:ENROUTE err:000 text:", "1", State.ENROUTE, "000", id="en route"),
    pytest.param(f"id:1 sub:001 dlvrd:000 {D} stat:SKIPPED err:000 text:", "1", State.SKIPPED, "000", id="skipped of 5.0"),
    pytest.param(f"id:1 sub:001 dlvrd:000 {D} stat:SCHEDLD err:000 text:", "1", State.SCHEDULED, "000", id="scheduled of 5.0"),
    pytest.param(f"id:1 sub:001 dlvrd:001 {D} stat:DELIVERED err:000 text:", "1", State.DELIVERED, "000", id="delivered written out"),
    pytest.param(f"id:1 sub:001 dlvrd:000 {D} stat:UNDELIVERABLE err:000 text:", "1", State.UNDELIVERABLE, "000", id="undeliverable written out"),
    pytest.param(f"id:1 sub:001 dlvrd:000 {D} stat:REJECTED err:000 text:", "1", State.REJECTED, "000", id="rejected written out"),
    pytest.param(f"id:1 sub:001 dlvrd:000 {D} stat:FAILED err:34 text:", "1", State.UNDELIVERABLE, "34", id="failed"),
    pytest.param(f"id:1 sub:001 dlvrd:000 {D} stat:BUFFERED err:0 text:", "1", State.ENROUTE, "0", id="buffered"),
    pytest.param(f"id:1 sub:001 dlvrd:001 {D} stat:OK err:000 text:", "1", State.UNKNOWN, "000", id="a word nobody knows"),
    pytest.param(f"id:1 sub:001 dlvrd:001 {D} stat:DELIVRDX err:000 text:", "1", State.UNKNOWN, "000", id="nearly delivered"),
    pytest.param(f"id:1 sub:001 dlvrd:001 {D} stat:NOT_DELIVRD err:000 text:", "1", State.UNKNOWN, "000", id="not delivered"),
    pytest.param(f"id:1 sub:001 dlvrd:001 {D} stat: err:000 text:", "1", State.UNKNOWN, "000", id="state left empty"),
    pytest.param(f"id:1 sub:001 dlvrd:001 {D} err:000 text:", "1", State.UNKNOWN, "000", id="state left out"),
    pytest.param(f"id:1 sub:001 dlvrd:001 {D} stat:2 err:000 text:", "1", State.UNKNOWN, "000", id="state as a number"),
    pytest.param("id:1 stat:DELIVRD", "1", State.DELIVERED, "", id="id and state alone"),
    pytest.param("stat:DELIVRD id:1", "1", State.DELIVERED, "", id="state before id"),
    pytest.param(f"stat:DELIVRD err:000 id:1 {D} sub:001 dlvrd:001 text:", "1", State.DELIVERED, "000", id="another order"),
    pytest.param(f"err:21 {D} stat:UNDELIV id:99", "99", State.UNDELIVERABLE, "21", id="id last"),
    pytest.param(f"id:1 sub:001 dlvrd:001 {D} stat:DELIVRD err:000", "1", State.DELIVERED, "000", id="no text at all"),
    pytest.param(f"id:1 sub:001 dlvrd:001 {D} stat:DELIVRD err:000 text", "1", State.DELIVERED, "000", id="text without its colon"),
    pytest.param("id: 1 sub: 001 dlvrd: 001 submit date: 2611220944 done date: 2611220945 stat: DELIVRD err: 000 text: x", "1", State.DELIVERED, "000", id="blanks behind colons"),
    pytest.param("id :1 sub :001 stat :DELIVRD err :000 text :x", "1", State.DELIVERED, "000", id="blanks before colons"),
    pytest.param("id=1 sub=001 dlvrd=001 stat=DELIVRD err=000 text=x", "1", State.DELIVERED, "000", id="equals signs"),
    pytest.param("id:1,sub:001,dlvrd:001,stat:DELIVRD,err:000,text:x", "1", State.DELIVERED, "000", id="commas"),
    pytest.param("id:1;sub:001;dlvrd:001;stat:DELIVRD;err:000;text:x", "1", State.DELIVERED, "000", id="semicolons"),
    pytest.param("id:1, sub:001, dlvrd:001, stat:DELIVRD, err:000, text:x", "1", State.DELIVERED, "000", id="commas and blanks"),
    pytest.param("id:1|stat:DELIVRD|err:000", "1", State.DELIVERED, "000", id="bars"),
    pytest.param("id:1\r\nsub:001\r\nstat:DELIVRD\r\nerr:000\r\ntext:x", "1", State.DELIVERED, "000", id="lines"),
    pytest.param("id:1\tsub:001\tstat:DELIVRD\terr:000", "1", State.DELIVERED, "000", id="tabs"),
    pytest.param("   id:1   stat:DELIVRD   err:000  ", "1", State.DELIVERED, "000", id="blanks everywhere"),
    pytest.param(f"id:1 sub:001 dlvrd:001 {D} stat:DELIVRD err:000 text:\0", "1", State.DELIVERED, "000", id="a NUL at the end"),
    pytest.param("id:1 stat:DELIVRD err:000\0\0\0", "1", State.DELIVERED, "000", id="NULs at the end"),
    pytest.param(f"id:1\0002 sub:001 dlvrd:001 {D} stat:DELIVRD err:0\00000 text:", "12", State.DELIVERED, "000", id="NULs inside"),
    pytest.param(f"id:1 sub:001 dlvrd:000 {D} stat:ACKED err:0 text:", "1", State.ACCEPTED, "0", id="acked"),
    pytest.param("id:1 stat:'DELIVRD' err:000", "1", State.DELIVERED, "000", id="state in quotes"),
    pytest.param("id:1 stat:DELIVRD. err:000", "1", State.DELIVERED, "000", id="state with a full stop"),
    pytest.param("id: sub: dlvrd: submit date: done date: stat:DELIVRD err: text:", "", State.DELIVERED, "", id="empty fields"),
    pytest.param("id:1 sub: dlvrd: submit date: done date: stat:UNDELIV err: text:", "1", State.UNDELIVERABLE, "", id="all empty but two"),
    pytest.param("message_id:1 status:DELIVRD error:000", "1", State.DELIVERED, "000", id="keys written out"),
    pytest.param("msgid:1 state:DELIVRD errcode:7 text:", "1", State.DELIVERED, "7", id="keys in short"),
    pytest.param("Delivery report id:1 sub:001 stat:DELIVRD err:000", "1", State.DELIVERED, "000", id="words in front"),
    pytest.param("id:1 foo:2 stat:DELIVRD bar:3 err:000 baz", "1", State.DELIVERED, "000", id="keys nobody knows"),
    pytest.param("id:1 id:2 stat:DELIVRD stat:UNDELIV", "1", State.DELIVERED, "", id="keys twice, the first counts"),
    pytest.param("paid:7 id:1 instat:X stat:DELIVRD", "1", State.DELIVERED, "", id="keys inside words"),
    pytest.param("id:1 submit_date:2611220944 done_date:2611220945 stat:DELIVRD err:000", "1", State.DELIVERED, "000", id="dates with underscores"),
    pytest.param("id:1 stat:DELIVRD err:DN1: text:", "1", State.DELIVERED, "DN1:", id="err with a colon"),
    pytest.param(f"id:1 sub:001 dlvrd:001 {D} text: stat:DELIVRD err:000", "1", State.DELIVERED, "000", id="state behind an empty text"),
    pytest.param(f"id:1 sub:001 dlvrd:001 {D} text:stat:UNDELIV err:12", "1", State.UNDELIVERABLE, "12", id="state right behind text"),
    pytest.param(f"id:1 {D} Text:  Stat:EXPIRED Err:3 ", "1", State.EXPIRED, "3", id="state behind blanks"),
    pytest.param(f'id:"1" sub:"001" {D} stat:"DELIVRD" err:"000" text:""', "1", State.DELIVERED, "000", id="every value in quotes"),
    pytest.param("id:'ab' stat:DELIVRD", "ab", State.DELIVERED, "", id="id in single quotes"),
    pytest.param('id:a"b stat:DELIVRD', 'a"b', State.DELIVERED, "", id="a quote that is the id's"),
    pytest.param(f"id:{'9' * 300} sub:001 dlvrd:001 {D} stat:DELIVRD err:000 text:", "9" * 300, State.DELIVERED, "000", id="id of 300 digits"),
    pytest.param(f"id:1526758174 {D} stat:DELIVRD err:000 text:hellow", "1526758174", State.DELIVERED, "000", id="without sub and dlvrd"),
    pytest.param(f"id:1298d520-b783-49d9-87af-643d7bf13304 {D} stat:DELIVRD err:00", "1298d520-b783-49d9-87af-643d7bf13304", State.DELIVERED, "00", id="without sub, dlvrd and text"),
    pytest.param("id:a29f6845 sub:001 dlvrd:001 submit date:261122215253 done date:261122215259 stat:DELIVRD err:000 text:", "a29f6845", State.DELIVERED, "000", id="dates with seconds"),
    pytest.param(f"id:1 sub:001 dlvrd:001 {D} stat:DELIVRD err: 0 text:x", "1", State.DELIVERED, "0", id="a blank before err's value"),
    pytest.param(f"id:1 sub:001 dlvrd:001 {D} stat:DELIVRD err:21b text:", "1", State.DELIVERED, "21b", id="err that is no number"),
    pytest.param(f"id:1 sub:001 dlvrd:001 {D} stat:MK:1008 err:000 text:", "1", State.UNKNOWN, "000", id="a network element's code that no setting names"),
    # what customers' words must not do
    pytest.param(f"id:1 {D} stat:UNDELIV err:5 text:id:2 {D} stat:DELIVRD err:0 text:", "1", State.UNDELIVERABLE, "5", id="a whole second receipt in the text"),
    pytest.param(f"id:1 {D} stat:UNDELIV err:000 text:id:2 stat:DELIVRD err:9", "1", State.UNDELIVERABLE, "000", id="forged fields in the text"),
    pytest.param(f"id:1 {D} stat:UNDELIV err:000 TEXT:id:2 stat:DELIVRD", "1", State.UNDELIVERABLE, "000", id="forged behind TEXT"),
    pytest.param("stat:UNDELIV err:000 text:id:2", "", State.UNDELIVERABLE, "000", id="forged id where there is none"),
    pytest.param("text:id:2 stat:DELIVRD", "", State.UNKNOWN, "", id="text first: never the id"),
    pytest.param(f"id:1 {D} text:my stat:DELIVRD", "1", State.UNKNOWN, "", id="a state amid words"),
    pytest.param(f"id:1 {D} text:stat:DELIVRD ok thanks", "1", State.UNKNOWN, "", id="a state before words"),
    pytest.param(f"id:1 {D} stat:UNDELIV err:5 text:text:stat:DELIVRD", "1", State.UNDELIVERABLE, "5", id="text twice"),
    pytest.param("", "", State.UNKNOWN, "", id="nothing"),
    pytest.param("thanks a lot", "", State.UNKNOWN, "", id="no receipt at all"),
    pytest.param("id", "", State.UNKNOWN, "", id="half a key"),
    pytest.param("::::", "", State.UNKNOWN, "", id="colons"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message_id", "state", "err"), LINES)
def test_a_receipt_is_read_as_vendors_write_it(text: str, message_id: str, state: State, err: str) -> None:
    found = read(text)
    assert found is not None
    assert (found.message_id, found.state, found.err) == (message_id, state, err)


@pytest.mark.parametrize(("text", "message_id", "state", "err"), LINES)
def test_it_is_read_alike_in_a_payload_in_data_sm_and_in_ucs2(
    text: str, message_id: str, state: State, err: str
) -> None:
    octets = text.encode("latin-1")
    payload = {int(Tag.MESSAGE_PAYLOAD): octets}
    ways = [
        receipt.parse(DeliverSm(esm_class=4, tlvs=payload)),
        receipt.parse(DataSm(esm_class=4, tlvs=payload)),
        read(text.encode("utf-16-be"), data_coding=8),
        read(text.encode("utf-16-le"), data_coding=8),
        read(text, data_coding=8),
        read(b"\x05\x00\x03\x01\x02\x01" + octets, esm_class=0x44),
    ]
    assert ways == [read(text)] * len(ways)


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        pytest.param("2611220944", "2611220944", id="ten digits"),
        pytest.param("261122094403", "261122094403", id="twelve"),
        pytest.param("20261122094403", "20261122094403", id="fourteen"),
        pytest.param("261122094403712+", "261122094403", id="an absolute time"),
        pytest.param("000007000000000R", "", id="a relative time"),
        pytest.param("26112209440", "", id="eleven"),
        pytest.param("2026-11-22", "", id="dashes"),
        pytest.param("never", "", id="a word"),
        pytest.param("", "", id="empty"),
    ],
)
def test_dates_are_ten_twelve_or_fourteen_digits(written: str, digits: str) -> None:
    for text in (
        f"id:1 sub:001 dlvrd:001 submit date:{written} done date:{written} stat:DELIVRD err:000 text:",
        f"ID:1 SUBMIT DATE:{written} DONE DATE:{written} STAT:DELIVRD",
    ):
        found = read(text)
        assert found is not None
        assert (found.submit_date, found.done_date, found.state) == (digits, digits, State.DELIVERED)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        pytest.param(
            f"id:1 sub:001 dlvrd:001 {D} stat:DELIVRD err:000 text:your code", "your code", id="usual"
        ),
        pytest.param("id:1 stat:DELIVRD TEXT: id:2 ok", " id:2 ok", id="fields in it"),
        pytest.param("id:1 stat:DELIVRD", "", id="none"),
        pytest.param("hello", "hello", id="nothing but text"),
    ],
)
def test_the_text_is_kept(text: str, rest: str) -> None:
    found = read(text)
    assert found is not None
    assert found.text == rest


CODES = Habits(
    words={
        "MK:*": State.UNDELIVERABLE,
        "MK:10*": State.EXPIRED,
        "MK:1008": State.REJECTED,
        "0": State.DELIVERED,
    }
)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        pytest.param("MK:1008", State.REJECTED, id="the very word"),
        pytest.param("MK:1009", State.EXPIRED, id="the longest beginning"),
        pytest.param("mk:0001", State.UNDELIVERABLE, id="the shorter one, in small letters"),
        pytest.param("MK:", State.UNDELIVERABLE, id="nothing behind it"),
        pytest.param("MB:0001", State.UNKNOWN, id="another element's"),
        pytest.param("0", State.DELIVERED, id="a number"),
        pytest.param("00", State.UNKNOWN, id="another number"),
        pytest.param("DELIVRD", State.DELIVERED, id="the known words besides"),
    ],
)
def test_words_of_ones_own_may_end_in_a_star(word: str, state: State) -> None:
    for text in (f"id:1 sub:001 dlvrd:001 {D} stat:{word} err:000 text:", f"id:1,stat:{word}"):
        found = read(text, CODES)
        assert found is not None
        assert (found.state, found.word) == (state, word.upper())


def test_a_lone_star_stands_for_every_word_but_the_known_ones_come_after_it() -> None:
    habits = Habits(words={"*": State.UNDELIVERABLE, "DELIVRD": State.DELIVERED})
    found = [read(f"id:1 stat:{word}", habits) for word in ("DELIVRD", "XYZ", "EXPIRED")]
    assert [each and each.state for each in found] == [
        State.DELIVERED,
        State.UNDELIVERABLE,
        State.UNDELIVERABLE,
    ]


# Parameters


@pytest.mark.parametrize("state", MessageState)
def test_the_state_parameter_is_read(state: MessageState) -> None:
    tlvs = {int(Tag.RECEIPTED_MESSAGE_ID): b"abc\0", int(Tag.MESSAGE_STATE): bytes((state,))}
    found = read("", tlvs=tlvs)
    assert found is not None
    assert (found.message_id, found.state) == ("abc", State[state.name])


@pytest.mark.parametrize(
    ("value", "state"),
    [
        pytest.param(b"\x02", State.DELIVERED, id="one octet"),
        pytest.param(b"\0\0\0\x02", State.DELIVERED, id="four octets"),
        pytest.param(b"\x63", State.UNKNOWN, id="no state"),
        pytest.param(b"", State.UNKNOWN, id="empty"),
        pytest.param(b"\xff" * 400, State.UNKNOWN, id="far too long"),
    ],
)
def test_a_state_parameter_of_any_width_is_survived(value: bytes, state: State) -> None:
    found = read("id:1", tlvs={int(Tag.MESSAGE_STATE): value})
    assert found is not None
    assert found.state is state


BOTH = {int(Tag.RECEIPTED_MESSAGE_ID): b"tlv\0", int(Tag.MESSAGE_STATE): b"\x05"}


@pytest.mark.parametrize(
    ("text", "habits", "message_id", "state"),
    [
        pytest.param("id:text stat:DELIVRD", Habits(), "tlv", State.DELIVERED, id="id of the parameter"),
        pytest.param(
            "id:text stat:DELIVRD", Habits(prefer_tlv_id=False), "text", State.DELIVERED, id="id of the text"
        ),
        pytest.param("stat:DELIVRD", Habits(prefer_tlv_id=False), "tlv", State.DELIVERED, id="the only id"),
        pytest.param(
            "id:text stat:DELIVRD", Habits(prefer_tlv_state=True), "tlv", State.UNDELIVERABLE, id="state"
        ),
        pytest.param(
            "id:text stat:HMM", Habits(), "tlv", State.UNDELIVERABLE, id="word unknown, parameter known"
        ),
        pytest.param("id:text", Habits(), "tlv", State.UNDELIVERABLE, id="no word"),
        pytest.param(
            "stat:Seen", Habits(words={"SEEN": State.DELIVERED}), "tlv", State.DELIVERED, id="route's word"
        ),
        pytest.param(
            "stat:DELIVRD",
            Habits(words={"DELIVRD": State.ACCEPTED}),
            "tlv",
            State.ACCEPTED,
            id="route's word wins",
        ),
    ],
)
def test_text_and_parameters_are_weighed_by_habit(
    text: str, habits: Habits, message_id: str, state: State
) -> None:
    found = read(text, habits, tlvs=BOTH)
    assert found is not None
    assert (found.message_id, found.state) == (message_id, state)


@pytest.mark.parametrize(
    ("value", "text", "err"),
    [
        pytest.param(b"\x03\x00\x22", "id:1", "34", id="parameter alone"),
        pytest.param(b"\x03\x00\x22", "id:1 err:007", "007", id="the text's own"),
        pytest.param(b"\x03", "id:1", "", id="too short"),
        pytest.param(b"\x03\x00\x22\x00", "id:1", "34", id="padded to four"),
        pytest.param(b"\x03\x00\x22\x00\x00", "id:1", "34", id="padded to five"),
        pytest.param(b"\x03\x00\x00\x22", "id:1", "", id="four octets, who knows how"),
        pytest.param(b"034", "id:1", "034", id="in digits"),
    ],
)
def test_the_network_error_is_read_where_the_text_has_none(value: bytes, text: str, err: str) -> None:
    found = read(text, tlvs={int(Tag.NETWORK_ERROR_CODE): value})
    assert found is not None
    assert found.err == err


# What is a receipt, and what is final


@pytest.mark.parametrize(
    ("esm_class", "text", "loose", "strict"),
    [
        pytest.param(0x00, f"id:1 {D} stat:DELIVRD err:000", True, False, id="undeclared"),
        pytest.param(0x04, f"id:1 {D} stat:DELIVRD err:000", True, True, id="declared"),
        pytest.param(0x44, f"\0id:1 {D} stat:DELIVRD err:000", True, True, id="declared, with a UDH"),
        pytest.param(0x20, f"id:1 {D} stat:ENROUTE err:000", True, True, id="intermediate"),
        pytest.param(0x24, f"id:1 {D} stat:ENROUTE err:000", True, True, id="both bits"),
        pytest.param(0x04, "8", True, True, id="declared, but a score"),
        pytest.param(0x00, "8", False, False, id="a score"),
        pytest.param(0x00, "id:1 stat:DELIVRD", False, False, id="too little to be one"),
        pytest.param(0x00, f"my id:1 {D}", False, False, id="no state"),
        pytest.param(0x08, "8", False, False, id="a delivery acknowledgement of the phone"),
        pytest.param(0x10, "8", False, False, id="a user acknowledgement"),
    ],
)
def test_what_is_a_receipt(esm_class: int, text: str, loose: bool, strict: bool) -> None:
    assert (read(text, esm_class=esm_class) is not None) is strict
    assert (read(text, Habits(without_esm_class=True), esm_class=esm_class) is not None) is loose


@pytest.mark.parametrize("text", ["", "8", "tlv 5"])
def test_both_parameters_make_a_receipt_where_esm_class_does_not(text: str) -> None:
    found = read(text, esm_class=0, tlvs=BOTH)
    assert found is not None
    assert (found.message_id, found.state) == ("tlv", State.UNDELIVERABLE)


@pytest.mark.parametrize("tag", sorted(BOTH))
def test_one_parameter_alone_does_not(tag: int) -> None:
    assert read("8", esm_class=0, tlvs={tag: BOTH[tag]}) is None


@pytest.mark.parametrize(
    ("state", "final", "final_in_between"),
    [
        (State.DELIVERED, True, True),
        (State.EXPIRED, True, False),
        (State.DELETED, True, False),
        (State.UNDELIVERABLE, True, False),
        (State.REJECTED, True, False),
        (State.SKIPPED, True, False),
        (State.ACCEPTED, False, False),
        (State.UNKNOWN, False, False),
        (State.ENROUTE, False, False),
        (State.SCHEDULED, False, False),
    ],
)
def test_which_states_are_final(state: State, final: bool, final_in_between: bool) -> None:
    text = receipt.write("1", state, submit_date="2611220944", done_date="2611220945")
    whole, between = read(text), read(text, esm_class=0x20)
    assert whole is not None
    assert between is not None
    assert (whole.state, whole.final, between.final) == (state, final, final_in_between)


def test_accepted_is_final_where_the_route_says_so() -> None:
    found = read("id:1 stat:ACCEPTD", Habits(accepted_is_final=True))
    assert found is not None
    assert found.final


# Writing


@given(
    st.from_regex(r"[0-9A-Za-z-]{1,64}", fullmatch=True),
    st.sampled_from(State),
    st.from_regex(r"[0-9A-F]{3}", fullmatch=True),
    st.text(st.characters(min_codepoint=1, max_codepoint=0xFF)),
)
def test_what_is_written_is_read_again(message_id: str, state: State, err: str, text: str) -> None:
    written = receipt.write(
        message_id, state, submit_date="2611220944", done_date="2611220945", err=err, text=text
    )
    expected = Receipt(
        message_id=message_id,
        state=state,
        word=receipt.word_of(state),
        final=state in receipt.FINAL_STATES,
        err=err,
        submit_date="2611220944",
        done_date="2611220945",
        sub="001",
        dlvrd="001" if state is State.DELIVERED else "000",
        text=text[:20],
    )
    assert read(written) == expected
    assert read(written, tlvs=receipt.write_tlvs(message_id, state)) == expected
    found = read("", tlvs=receipt.write_tlvs(message_id, state))
    assert found is not None
    assert (found.message_id, found.state) == (message_id, state)


# Ids

HEX_TO_DECIMAL = Habits(response_id=IdForm.HEX, receipt_id=IdForm.DECIMAL)
DECIMAL_TO_HEX = Habits(response_id=IdForm.DECIMAL, receipt_id=IdForm.HEX)


@pytest.mark.parametrize(
    ("responded", "receipted", "habits", "same"),
    [
        pytest.param("abc", "abc", Habits(), True, id="alike"),
        pytest.param("0123", "123", Habits(), False, id="zeros count"),
        pytest.param("0123", "123", Habits(ignore_zeros=True), True, id="zeros do not count"),
        pytest.param("0000", "0", Habits(ignore_zeros=True), True, id="zeros alone"),
        pytest.param("ABC", "abc", Habits(), False, id="case counts"),
        pytest.param("ABC", "abc", Habits(ignore_case=True), True, id="case does not count"),
        pytest.param("00ABC", "abc", Habits(ignore_case=True, ignore_zeros=True), True, id="neither counts"),
        pytest.param("FF", "255", HEX_TO_DECIMAL, True, id="hex here, decimal there"),
        pytest.param("00ff", "0000000255", HEX_TO_DECIMAL, True, id="with zeros"),
        pytest.param("255", "FF", DECIMAL_TO_HEX, True, id="decimal here, hex there"),
        pytest.param("10", "10", HEX_TO_DECIMAL, False, id="the same digits, another number"),
        pytest.param("10000000000000001", "18446744073709551617", HEX_TO_DECIMAL, True, id="beyond 64 bits"),
        pytest.param("F" * 64, str(16**64 - 1), HEX_TO_DECIMAL, True, id="64 hex digits"),
        pytest.param("not-hex", "not-hex", HEX_TO_DECIMAL, True, id="no number: as it stands"),
        pytest.param("0x1f", "31", HEX_TO_DECIMAL, False, id="a prefix is no digit"),
        pytest.param("1_0", "16", HEX_TO_DECIMAL, False, id="an underscore is no digit"),
        pytest.param(
            "٣", "3", Habits(response_id=IdForm.DECIMAL, receipt_id=IdForm.DECIMAL), False, id="other digits"
        ),
        pytest.param("", "", Habits(), False, id="an empty id is nobody's"),
        pytest.param("9" * 5000, "9" * 5000, DECIMAL_TO_HEX, True, id="longer than a number may be"),
    ],
)
def test_ids_are_compared_by_the_routes_rules(
    responded: str, receipted: str, habits: Habits, same: bool
) -> None:
    assert receipt.same_id(responded, receipted, habits) is same


# It never raises

LOOSE = Habits(without_esm_class=True)


@settings(max_examples=500, deadline=None)
@given(
    octets=st.binary(max_size=254) | st.text("id:statex \0,;", max_size=200).map(str.encode),
    esm_class=st.integers(0, 255),
    data_coding=st.integers(0, 255),
    tlvs=st.dictionaries(
        st.sampled_from([0x1E, 0x423, 0x424, 0x427, 0x1400]), st.binary(max_size=70), max_size=4
    ),
)
@example(octets=b"\xff", esm_class=0x44, data_coding=8, tlvs={})
@example(octets=b"", esm_class=0x44, data_coding=8, tlvs={0x427: b""})
def test_whatever_comes_nothing_is_raised(
    octets: bytes, esm_class: int, data_coding: int, tlvs: dict[int, bytes]
) -> None:
    fields: dict[str, Any] = {"esm_class": esm_class, "data_coding": data_coding, "tlvs": tlvs}
    for pdu in (DeliverSm(short_message=octets, **fields), DataSm(**fields)):
        declared = esm_class & 0x3C in (0x04, 0x20, 0x24)
        assert (receipt.parse(pdu) is not None) is (declared or _both(tlvs))
        for habits in (LOOSE, CODES):
            found = receipt.parse(pdu, habits)
            assert found is None or isinstance(found, Receipt)


def _both(tlvs: dict[int, bytes]) -> bool:
    named = tlvs.get(0x1E, b"").split(b"\0")[0]
    return bool(named and tlvs.get(0x427) and int.from_bytes(tlvs[0x427], "big") in set(MessageState))


def test_a_huge_payload_is_read_only_as_far_as_a_receipt_goes() -> None:
    found = receipt.parse(DeliverSm(esm_class=4, tlvs={int(Tag.MESSAGE_PAYLOAD): b"id:1 " + b"id:" * 20_000}))
    assert found is not None
    assert found.message_id == "1"
