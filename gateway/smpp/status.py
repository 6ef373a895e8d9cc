"""Every command_status of SMPP 3.4 (§5.1.3) and 5.0 (§4.7.6): its name, what it says, whose matter it is."""

from enum import StrEnum
from typing import Final, NamedTuple


class Verdict(StrEnum):
    """Whose matter a command_status is, and so what follows from it."""

    OK = "ok"  #: taken
    THROTTLE = "throttle"  #: too fast: the bind pauses, no attempt is consumed
    TEMPORARY = "temporary"  #: the same PDU may succeed later
    RECIPIENT = "recipient"  #: this number can't be reached; final for it
    SENDER = "sender"  #: this sender address is not allowed; stop it, alarm once
    OURS = "ours"  #: our fault or our configuration; final, alarm, PDU kept
    LINK = "link"  #: the bind is not as it should be; bind again, no attempt consumed
    VENDOR = "vendor"  #: the SMSC's own code; temporary once unless the route maps it


class Status(NamedTuple):
    """One command_status."""

    code: int
    name: str
    sentence: str
    verdict: Verdict


ESME_ROK: Final = 0x00
ESME_RINVMSGLEN: Final = 0x01
ESME_RINVCMDLEN: Final = 0x02
ESME_RINVCMDID: Final = 0x03
ESME_RINVBNDSTS: Final = 0x04
ESME_RALYBND: Final = 0x05
ESME_RINVPRTFLG: Final = 0x06
ESME_RINVREGDLVFLG: Final = 0x07
ESME_RSYSERR: Final = 0x08
ESME_RINVSRCADR: Final = 0x0A
ESME_RINVDSTADR: Final = 0x0B
ESME_RINVMSGID: Final = 0x0C
ESME_RBINDFAIL: Final = 0x0D
ESME_RINVPASWD: Final = 0x0E
ESME_RINVSYSID: Final = 0x0F
ESME_RMSGQFUL: Final = 0x14
ESME_RINVSERTYP: Final = 0x15
ESME_RINVNUMDESTS: Final = 0x33
ESME_RINVDLNAME: Final = 0x34
ESME_RINVDESTFLAG: Final = 0x40
ESME_RINVESMCLASS: Final = 0x43
ESME_RSUBMITFAIL: Final = 0x45
ESME_RINVSRCTON: Final = 0x48
ESME_RINVSRCNPI: Final = 0x49
ESME_RINVDSTTON: Final = 0x50
ESME_RINVDSTNPI: Final = 0x51
ESME_RINVSYSTYP: Final = 0x53
ESME_RINVREPFLAG: Final = 0x54
ESME_RTHROTTLED: Final = 0x58
ESME_RINVSCHED: Final = 0x61
ESME_RINVEXPIRY: Final = 0x62
ESME_RINVDFTMSGID: Final = 0x63
ESME_RX_T_APPN: Final = 0x64
ESME_RX_P_APPN: Final = 0x65
ESME_RX_R_APPN: Final = 0x66
ESME_RINVOPTPARSTREAM: Final = 0xC0
ESME_RINVPARLEN: Final = 0xC2
ESME_RUNKNOWNERR: Final = 0xFF
ESME_RINVDCS: Final = 0x104

_V = Verdict

# The names are the specification's; SMPP 3.4 and 5.0 differ for a few codes (0x66, 0xC0, 0xC1, 0xFE) in
# the name only, and the older one stands here because peers' documents use it.
TABLE: Final = {
    code: Status(code, name, sentence, verdict)
    for code, name, sentence, verdict in (
        (0x00, "ESME_ROK", "No error.", _V.OK),
        (0x01, "ESME_RINVMSGLEN", "The message's length is invalid.", _V.OURS),
        (0x02, "ESME_RINVCMDLEN", "The PDU's length is invalid.", _V.OURS),
        (0x03, "ESME_RINVCMDID", "The command is not known to the peer.", _V.OURS),
        (0x04, "ESME_RINVBNDSTS", "The bind does not allow this command in its state.", _V.LINK),
        (0x05, "ESME_RALYBND", "The account is bound already.", _V.LINK),
        (0x06, "ESME_RINVPRTFLG", "The priority flag is invalid.", _V.OURS),
        (0x07, "ESME_RINVREGDLVFLG", "The registered_delivery flag is invalid.", _V.OURS),
        (0x08, "ESME_RSYSERR", "The peer has a system error.", _V.TEMPORARY),
        (0x0A, "ESME_RINVSRCADR", "The sender address is invalid or not allowed.", _V.SENDER),
        (0x0B, "ESME_RINVDSTADR", "The destination address is invalid.", _V.RECIPIENT),
        (0x0C, "ESME_RINVMSGID", "The message id is invalid.", _V.OURS),
        (0x0D, "ESME_RBINDFAIL", "The bind failed.", _V.LINK),
        (0x0E, "ESME_RINVPASWD", "The password is wrong.", _V.LINK),
        (0x0F, "ESME_RINVSYSID", "The system_id is not known.", _V.LINK),
        (0x11, "ESME_RCANCELFAIL", "The message could not be cancelled.", _V.OURS),
        (0x13, "ESME_RREPLACEFAIL", "The message could not be replaced.", _V.OURS),
        (0x14, "ESME_RMSGQFUL", "The peer's message queue is full.", _V.TEMPORARY),
        (0x15, "ESME_RINVSERTYP", "The service_type is invalid.", _V.OURS),
        (0x33, "ESME_RINVNUMDESTS", "The number of destinations is invalid.", _V.OURS),
        (0x34, "ESME_RINVDLNAME", "The distribution list is not known.", _V.OURS),
        (0x40, "ESME_RINVDESTFLAG", "The destination flag is invalid.", _V.OURS),
        (0x42, "ESME_RINVSUBREP", "A submit with replace is not possible.", _V.OURS),
        (0x43, "ESME_RINVESMCLASS", "The esm_class is invalid.", _V.OURS),
        (0x44, "ESME_RCNTSUBDL", "The message can't go to that distribution list.", _V.OURS),
        (0x45, "ESME_RSUBMITFAIL", "The submit failed.", _V.TEMPORARY),
        (0x48, "ESME_RINVSRCTON", "The sender's type of number is invalid.", _V.SENDER),
        (0x49, "ESME_RINVSRCNPI", "The sender's numbering plan is invalid.", _V.SENDER),
        (0x50, "ESME_RINVDSTTON", "The destination's type of number is invalid.", _V.RECIPIENT),
        (0x51, "ESME_RINVDSTNPI", "The destination's numbering plan is invalid.", _V.RECIPIENT),
        (0x53, "ESME_RINVSYSTYP", "The system_type is invalid.", _V.LINK),
        (0x54, "ESME_RINVREPFLAG", "The replace_if_present flag is invalid.", _V.OURS),
        (0x55, "ESME_RINVNUMMSGS", "The number of messages is invalid.", _V.OURS),
        (0x58, "ESME_RTHROTTLED", "The account sends faster than it may.", _V.THROTTLE),
        (0x61, "ESME_RINVSCHED", "The scheduled delivery time is invalid.", _V.OURS),
        (0x62, "ESME_RINVEXPIRY", "The validity period is invalid.", _V.OURS),
        (0x63, "ESME_RINVDFTMSGID", "The predefined message is invalid or not found.", _V.OURS),
        (0x64, "ESME_RX_T_APPN", "The receiving application has a temporary error.", _V.TEMPORARY),
        (0x65, "ESME_RX_P_APPN", "The receiving application has a permanent error.", _V.OURS),
        (0x66, "ESME_RX_R_APPN", "The receiving application rejects the message.", _V.OURS),
        (0x67, "ESME_RQUERYFAIL", "The query failed.", _V.OURS),
        (0xC0, "ESME_RINVOPTPARSTREAM", "The optional part of the PDU is malformed.", _V.OURS),
        (0xC1, "ESME_ROPTPARNOTALLWD", "An optional parameter is not allowed.", _V.OURS),
        (0xC2, "ESME_RINVPARLEN", "An optional parameter's length is invalid.", _V.OURS),
        (0xC3, "ESME_RMISSINGOPTPARAM", "An expected optional parameter is missing.", _V.OURS),
        (0xC4, "ESME_RINVOPTPARAMVAL", "An optional parameter's value is invalid.", _V.OURS),
        (0xFE, "ESME_RDELIVERYFAILURE", "The delivery failed.", _V.TEMPORARY),
        (0xFF, "ESME_RUNKNOWNERR", "The peer names no reason.", _V.TEMPORARY),
        (0x100, "ESME_RSERTYPUNAUTH", "The account may not use this service_type.", _V.OURS),
        (0x101, "ESME_RPROHIBITED", "The account may not use this operation.", _V.OURS),
        (0x102, "ESME_RSERTYPUNAVAIL", "The service_type is not available now.", _V.TEMPORARY),
        (0x103, "ESME_RSERTYPDENIED", "The service_type is denied.", _V.OURS),
        (0x104, "ESME_RINVDCS", "The data coding is invalid.", _V.OURS),
        (0x105, "ESME_RINVSRCADDRSUBUNIT", "The source address subunit is invalid.", _V.SENDER),
        (0x106, "ESME_RINVDSTADDRSUBUNIT", "The destination address subunit is invalid.", _V.OURS),
        (0x107, "ESME_RINVBCASTFREQINT", "The broadcast frequency interval is invalid.", _V.OURS),
        (0x108, "ESME_RINVBCASTALIAS_NAME", "The broadcast alias is invalid.", _V.OURS),
        (0x109, "ESME_RINVBCASTAREAFMT", "The broadcast area's format is invalid.", _V.OURS),
        (0x10A, "ESME_RINVNUMBCAST_AREAS", "The number of broadcast areas is invalid.", _V.OURS),
        (0x10B, "ESME_RINVBCASTCNTTYPE", "The broadcast content type is invalid.", _V.OURS),
        (0x10C, "ESME_RINVBCASTMSGCLASS", "The broadcast message class is invalid.", _V.OURS),
        (0x10D, "ESME_RBCASTFAIL", "The broadcast failed.", _V.TEMPORARY),
        (0x10E, "ESME_RBCASTQUERYFAIL", "The broadcast query failed.", _V.OURS),
        (0x10F, "ESME_RBCASTCANCELFAIL", "The broadcast could not be cancelled.", _V.OURS),
        (0x110, "ESME_RINVBCAST_REP", "The number of broadcast repetitions is invalid.", _V.OURS),
        (0x111, "ESME_RINVBCASTSRVGRP", "The broadcast service group is invalid.", _V.OURS),
        (0x112, "ESME_RINVBCASTCHANIND", "The broadcast channel indicator is invalid.", _V.OURS),
    )
}

VENDOR_RANGE: Final = range(0x400, 0x500)


def lookup(code: int) -> Status:
    """The table's row; a code that no version of SMPP knows gets a row that says so (never raises)."""
    if (row := TABLE.get(code)) is not None:
        return row
    if code in VENDOR_RANGE:
        return Status(code, f"VENDOR_0x{code:03X}", "The SMSC's own code.", Verdict.VENDOR)
    return Status(code, f"RESERVED_0x{code:08X}", "A code that SMPP reserves.", Verdict.VENDOR)


def name(code: int) -> str:
    """`ESME_RTHROTTLED` for 0x58."""
    return lookup(code).name


_BY_NAME: Final = {row.name: row.code for row in TABLE.values()}


def code_of(text: str) -> int | None:
    """The code that a name, `0x58` or `88` means; None when it is none."""
    code = _BY_NAME.get(text.upper())
    if code is None:
        try:
            code = int(text, 0)
        except ValueError:
            return None
    return code if 0 <= code <= 0xFFFFFFFF else None


def names() -> list[str]:
    """All names of the table, for suggestions."""
    return list(_BY_NAME)
