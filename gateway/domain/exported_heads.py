"""Heads of the chains as a file: exported with their time, kept elsewhere, held against the chains later."""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from gateway.domain.evidence import ORIGIN, Head, canonical
from gateway.domain.tampering import Kept

FORMAT: Final = "huiyin evidence heads 1"


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    bucket: int
    n: int
    hash: str


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    format: str
    exported_at: datetime
    heads: list[_Line]
    sha256: str
    hmac_sha256: str | None = None


class HeadsFileError(ValueError):
    """It is no file of exported heads, was changed, or was signed with another key; the message says so."""


def write(heads: Sequence[Head], at: datetime, key: bytes | None = None) -> str:
    """The file: JSON, one head a line. With a key, time and heads are signed (HMAC-SHA-256)."""
    lines = [{"bucket": head.bucket, "n": head.n, "hash": head.hash} for head in heads]
    signed = canonical({"format": FORMAT, "exported_at": at, "heads": lines}).encode()
    sums = {"sha256": hashlib.sha256(signed).hexdigest()}
    if key is not None:
        sums["hmac_sha256"] = hmac.digest(key, signed, "sha256").hex()
    last = canonical(sums)[1:]
    body = ",\n".join(canonical(line) for line in lines)
    head = f'{{"format":"{FORMAT}",\n"exported_at":{canonical(at)},\n"heads":[\n'
    return f"{head}{body}\n],\n{last}\n"


def read(text: str | bytes, key: bytes | None = None) -> list[Kept]:
    """The heads in a file, each with the time of the export. Raises `HeadsFileError`.

    With a key the file must be signed with it. Without one its sum is held against it, which finds slips,
    and not who wrote both anew.
    """
    try:
        file = msgspec.json.decode(text, type=_File)
        heads = [Head(line.bucket, line.n, bytes.fromhex(line.hash)) for line in file.heads]
    except ValueError as error:
        raise HeadsFileError(f"is no file of exported heads: {error}") from error
    if file.format != FORMAT:
        raise HeadsFileError(f'is of another format, "{file.format}"')
    if file.exported_at.tzinfo is None or any(len(head.hash) != len(ORIGIN) or head.n < 0 for head in heads):
        raise HeadsFileError("is no file of exported heads: a time without its zone, or a hash cut short")
    lines = [{"bucket": head.bucket, "n": head.n, "hash": head.hash} for head in heads]
    signed = canonical({"format": FORMAT, "exported_at": file.exported_at, "heads": lines}).encode()
    if not hmac.compare_digest(hashlib.sha256(signed).hexdigest(), file.sha256):
        raise HeadsFileError("was changed: its sha256 is of something else")
    if key is not None:
        if file.hmac_sha256 is None:
            raise HeadsFileError("is not signed, and a key was given")
        if not hmac.compare_digest(hmac.digest(key, signed, "sha256").hex(), file.hmac_sha256):
            raise HeadsFileError("was changed, or was signed with another key")
    return [Kept(head, file.exported_at) for head in heads]
