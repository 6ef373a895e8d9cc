"""The kinds of mandatory field: each knows how it is written, how it is read and which status names it."""

import struct
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

from gateway.smpp import status as st
from gateway.smpp.constants import DEST_DISTRIBUTION_LIST, DEST_SME_ADDRESS, MAX_SHORT_MESSAGE
from gateway.smpp.errors import EncodeError, FieldError

_FAILURE_STATUS: Final = struct.Struct(">I")


class Wire(Protocol):
    """How one field travels."""

    @property
    def status(self) -> int:
        """The command_status that names this field when it is malformed."""

    def write(self, value: Any, out: list[bytes]) -> None:
        """Append the field's octets. Raises `EncodeError`."""

    def read(self, frame: bytes, at: int) -> tuple[Any, int]:
        """The value at `at` and the offset behind it. Raises `FieldError`."""


@dataclass(frozen=True, slots=True)
class Octet:
    """A one-octet integer."""

    status: int

    def write(self, value: int, out: list[bytes]) -> None:
        if not 0 <= value <= 0xFF:
            raise EncodeError(f"{value} does not fit into an octet")
        out.append(bytes((value,)))

    def read(self, frame: bytes, at: int) -> tuple[int, int]:
        if at >= len(frame):
            raise FieldError(self.status, "the PDU ends before its last field")
        return frame[at], at + 1


@dataclass(frozen=True, slots=True)
class CString:
    """A C-octet string of at most `size` octets, its NUL counted. Octets above ASCII are kept as latin-1.

    A `lenient` one is read whatever its length, and without its NUL where the PDU ends: message ids of
    responses, which peers write so and which must not be lost. `reads` is the size up to which it is read,
    where peers write longer ones than they may.
    """

    size: int
    status: int
    lenient: bool = False
    reads: int = 0

    def write(self, value: str, out: list[bytes]) -> None:
        out.append(cstring(value, self.size))

    def read(self, frame: bytes, at: int) -> tuple[str, int]:
        end = frame.find(0, at)
        if end < 0:
            if not self.lenient:
                raise FieldError(self.status, "a string without its end")
            end = len(frame)
        size = self.reads or self.size
        if end - at >= size and not self.lenient:
            raise FieldError(self.status, f"a string of more than {size - 1} octets")
        return frame[at:end].decode("latin-1"), end + 1


def cstring(value: str, size: int) -> bytes:
    """The string with its NUL. Raises `EncodeError` when it is too long or holds what would end it early."""
    try:
        octets = value.encode("latin-1")
    except UnicodeEncodeError:
        raise EncodeError("a character that no SMPP string can carry") from None
    if len(octets) >= size:
        raise EncodeError(f"a string of {len(octets)} octets where {size - 1} may stand")
    if b"\0" in octets:
        raise EncodeError("a NUL inside a string")
    return octets + b"\0"


@dataclass(frozen=True, slots=True)
class ShortMessage:
    """sm_length and short_message, SMPP 3.4 §5.2.21 and §5.2.22. 255 octets are read (SMPP 5.0 §4.7.28)."""

    status: int = st.ESME_RINVMSGLEN

    def write(self, value: bytes, out: list[bytes]) -> None:
        if len(value) > MAX_SHORT_MESSAGE:
            raise EncodeError(f"a short_message of {len(value)} octets where {MAX_SHORT_MESSAGE} may stand")
        out.append(bytes((len(value),)))
        out.append(value)

    def read(self, frame: bytes, at: int) -> tuple[bytes, int]:
        if at >= len(frame):
            raise FieldError(self.status, "the PDU ends before sm_length")
        end = at + 1 + frame[at]
        if end > len(frame):
            raise FieldError(self.status, "the PDU ends inside short_message")
        return frame[at + 1 : end], end


class Destination(NamedTuple):
    """One SME address of submit_multi."""

    dest_addr_ton: int
    dest_addr_npi: int
    destination_addr: str


class DistributionList(NamedTuple):
    """One distribution list of submit_multi."""

    dl_name: str


class UnsuccessSme(NamedTuple):
    """One destination that submit_multi_resp reports as refused."""

    dest_addr_ton: int
    dest_addr_npi: int
    destination_addr: str
    error_status_code: int


_TON: Final = Octet(st.ESME_RINVDSTTON)
_NPI: Final = Octet(st.ESME_RINVDSTNPI)
_ADDRESS: Final = CString(21, st.ESME_RINVDSTADR)
_LIST_NAME: Final = CString(21, st.ESME_RINVDLNAME)


@dataclass(frozen=True, slots=True)
class Destinations:
    """number_of_dests and dest_address(es), SMPP 3.4 §4.5.1.1."""

    status: int = st.ESME_RINVNUMDESTS

    def write(self, value: tuple[Destination | DistributionList, ...], out: list[bytes]) -> None:
        if len(value) > 0xFF:
            raise EncodeError(f"{len(value)} destinations where 255 may stand")
        out.append(bytes((len(value),)))
        for each in value:
            if isinstance(each, DistributionList):
                out.append(bytes((DEST_DISTRIBUTION_LIST,)))
                _LIST_NAME.write(each.dl_name, out)
            else:
                out.append(bytes((DEST_SME_ADDRESS,)))
                _TON.write(each.dest_addr_ton, out)
                _NPI.write(each.dest_addr_npi, out)
                _ADDRESS.write(each.destination_addr, out)

    def read(self, frame: bytes, at: int) -> tuple[tuple[Destination | DistributionList, ...], int]:
        count, at = Octet(self.status).read(frame, at)
        found: list[Destination | DistributionList] = []
        for _ in range(count):
            flag, at = Octet(st.ESME_RINVDESTFLAG).read(frame, at)
            if flag == DEST_SME_ADDRESS:
                ton, at = _TON.read(frame, at)
                npi, at = _NPI.read(frame, at)
                address, at = _ADDRESS.read(frame, at)
                found.append(Destination(ton, npi, address))
            elif flag == DEST_DISTRIBUTION_LIST:
                name, at = _LIST_NAME.read(frame, at)
                found.append(DistributionList(name))
            else:
                raise FieldError(st.ESME_RINVDESTFLAG, f"dest_flag {flag}")
        return tuple(found), at


@dataclass(frozen=True, slots=True)
class Failures:
    """no_unsuccess and unsuccess_sme(s), SMPP 3.4 §4.5.2.1."""

    status: int = st.ESME_RINVNUMDESTS

    def write(self, value: tuple[UnsuccessSme, ...], out: list[bytes]) -> None:
        if len(value) > 0xFF:
            raise EncodeError(f"{len(value)} destinations where 255 may stand")
        out.append(bytes((len(value),)))
        for each in value:
            _TON.write(each.dest_addr_ton, out)
            _NPI.write(each.dest_addr_npi, out)
            _ADDRESS.write(each.destination_addr, out)
            if not 0 <= each.error_status_code <= 0xFFFFFFFF:
                raise EncodeError(f"error_status_code {each.error_status_code} beyond 32 bits")
            out.append(_FAILURE_STATUS.pack(each.error_status_code))

    def read(self, frame: bytes, at: int) -> tuple[tuple[UnsuccessSme, ...], int]:
        count, at = Octet(self.status).read(frame, at)
        found: list[UnsuccessSme] = []
        for _ in range(count):
            ton, at = _TON.read(frame, at)
            npi, at = _NPI.read(frame, at)
            address, at = _ADDRESS.read(frame, at)
            if at + _FAILURE_STATUS.size > len(frame):
                raise FieldError(self.status, "the PDU ends inside unsuccess_sme")
            found.append(UnsuccessSme(ton, npi, address, _FAILURE_STATUS.unpack_from(frame, at)[0]))
            at += _FAILURE_STATUS.size
        return tuple(found), at
