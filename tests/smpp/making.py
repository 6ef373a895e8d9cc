"""PDUs for the tests of this room: any PDU with any values its fields can carry."""

from typing import Any

from hypothesis import strategies as st

from gateway.smpp.constants import MAX_SHORT_MESSAGE, RESPONSE
from gateway.smpp.fields import (
    CString,
    Destination,
    Destinations,
    DistributionList,
    Failures,
    Octet,
    ShortMessage,
    UnsuccessSme,
    Wire,
)
from gateway.smpp.pdu import PDUS, Pdu, fields_of

OCTET = st.integers(0, 0xFF)


def strings(size: int) -> st.SearchStrategy[str]:
    """What a C-octet string of `size` octets carries."""
    return st.text(st.characters(min_codepoint=1, max_codepoint=0xFF), max_size=size - 1)


def _values(wire: Wire) -> st.SearchStrategy[Any]:
    match wire:
        case Octet():
            return OCTET
        case CString():
            return strings(wire.size)
        case ShortMessage():
            return st.binary(max_size=MAX_SHORT_MESSAGE)
        case Destinations():
            one = st.builds(Destination, OCTET, OCTET, strings(21)) | st.builds(DistributionList, strings(21))
            return st.lists(one, max_size=4).map(tuple)
        case Failures():
            failure = st.builds(UnsuccessSme, OCTET, OCTET, strings(21), st.integers(0, 0xFFFFFFFF))
            return st.lists(failure, max_size=4).map(tuple)
    raise AssertionError(wire)


TLVS = st.dictionaries(st.integers(0, 0xFFFF), st.binary(max_size=40), max_size=4)


def pdus(cls: type[Pdu]) -> st.SearchStrategy[Pdu]:
    """The PDU with any values; a refusing response that carries no body keeps none."""
    values = {name: _values(wire) for name, wire in fields_of(cls)}
    status = st.just(0) if cls.bare_when_refused or not cls.command_id & RESPONSE else OCTET
    return st.builds(
        cls,
        sequence_number=st.integers(0, 0xFFFFFFFF),
        command_status=status,
        tlvs=TLVS,
        **values,
    )


ANY_PDU = st.sampled_from(PDUS).flatmap(pdus)
