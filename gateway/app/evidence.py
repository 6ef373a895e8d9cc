"""`huiyin evidence`: whether the chains of evidence are as they were written, and heads to keep elsewhere."""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec

from gateway.app.database import TROUBLES, existing
from gateway.app.node import utc_now
from gateway.config import Settings
from gateway.domain import exported_heads, ids
from gateway.domain.exported_heads import HeadsFileError
from gateway.domain.ids import Kind, bucket_of_id
from gateway.domain.tampering import Cause, Finding, Kept, What
from gateway.services.evidence import Dossier, Evidence, Looked, may_concern

OK, FAILED, WRONG_USE = 0, 1, 2
SHORTEST_KEY: Final = 32
PROGRESS_SECONDS: Final = 2.0

_WHAT: Final = {
    What.CHANGED: "changed 被改动",
    What.REMOVED: "removed 被删除",
    What.INSERTED: "put in 被插入",
    What.MOVED: "moved 被移位",
    What.REWRITTEN: "rewritten 被重写",
}
_CAUSE: Final = {
    Cause.CONTENT: "what stands in it is not what was hashed 内容与写入时不符",
    Cause.HASH: "only its hash; the next row has the one that fits 仅哈希值被改",
    Cause.PREVIOUS: "only its copy of the hash before it 仅前一行哈希的副本被改",
    Cause.REPLACED: "it was hashed anew, and the next row vouches for another 被替换并重算了哈希",
    Cause.GAP: "the numbers are missing 编号缺失",
    Cause.TAIL: "the head knows of rows after the last one 链尾缺失",
    Cause.CHAIN: "the whole chain is gone 整条链缺失",
    Cause.BEYOND_HEAD: "the head does not know of it 链头之后多出",
    Cause.BELOW_START: "it stands before the chain begins 链首之前多出",
    Cause.EXTRA: "rows were moved on to make place for it 其后各行被后移",
    Cause.NO_CHAIN: "there is no such bucket 没有这样的分区",
    Cause.PLACE: "it was written elsewhere 原本写在别处",
    Cause.HEAD: "the head has another hash than the last row 链头与末行不符",
    Cause.HEAD_MISSING: "the chain has no head: whether its tail is whole is not known 链头缺失",
    Cause.SEAL: "the seal has another hash than the row after it 封存点与其后一行不符",
    Cause.EXPORTED: "the chain disagrees with exported heads 与留存的链头不符",
    Cause.SINCE_EXPORT: "exported heads know of rows after the last one 留存的链头之前有行缺失",
}
UNHELD: Final = (
    "not held against exported heads (--heads): who rewrote a chain and its head together is not found\n"
    "未与另行留存的链头比对（--heads）：若整条链连同链头一起被重写，则无法发现"
)


# --- verify --------------------------------------------------------------------------------------


async def verify(args: argparse.Namespace, settings: Settings) -> int:
    """Hold the chains against themselves, their heads, and heads that were kept elsewhere."""
    asked = ids.parse(Kind.CONFIRMATION, args.confirmation) if args.confirmation else None
    if args.confirmation and asked is None:
        return _wrong("verify", f"{args.confirmation}: not an id of a confirmation; it looks like cnf_0199…")
    try:
        key = _key(args.key_file)
        kept = [each for path in args.heads for each in _kept(path, key)]
    except (OSError, HeadsFileError) as error:
        return _wrong("verify", str(error))
    if args.key_file and not args.heads:
        return _wrong("verify", "--key-file is for the files given with --heads")
    try:
        async with existing(settings) as opened:
            evidence = Evidence(opened, utc_now)
            if asked is None:
                looked = await evidence.verify(kept, _Progress())
                return _tell(args, looked, [each for one in looked for each in one.findings])
            dossier = await evidence.dossier(asked, kept)
            if dossier is None:
                looked = [await evidence.look(bucket_of_id(asked), kept)]
                return _tell_none(args, looked[0], asked)
            return _tell(args, [dossier.chain], dossier.doubts, dossier)
    except TROUBLES as error:
        print(f"huiyin evidence verify: {error}", file=sys.stderr)
        return FAILED


def _tell(
    args: argparse.Namespace,
    looked: Sequence[Looked],
    findings: Sequence[Finding],
    dossier: Dossier | None = None,
) -> int:
    if args.json:
        print(_json(_report(args, looked, findings, dossier)))
        return FAILED if findings else OK
    if dossier is not None:
        print(*_entries(dossier), sep="\n")
    print(*map(_line, findings), sep="\n", end="\n" if findings else "")
    print(*_summary(looked, findings, dossier), sep="\n")
    if not args.heads:
        print(UNHELD, file=sys.stderr)
    return FAILED if findings else OK


def _tell_none(args: argparse.Namespace, looked: Looked, asked: UUID) -> int:
    """Nothing is on record of it: it never was, its time is over, or it was removed."""
    findings = [each for each in looked.findings if may_concern(each, asked)]
    if args.json:
        print(_json(_report(args, [looked], findings, None) | {"intact": False, "entries": 0}))
        return FAILED
    print(*map(_line, findings), sep="\n", end="\n" if findings else "")
    print(f"{args.confirmation}: nothing is on record of it 没有任何记录", file=sys.stderr)
    return FAILED


def _report(
    args: argparse.Namespace, looked: Sequence[Looked], findings: Sequence[Finding], dossier: Dossier | None
) -> dict[str, Any]:
    sealed = [one.seal for one in looked if one.seal is not None]
    report: dict[str, Any] = {
        "intact": not findings,
        "chains": len(looked),
        "rows": sum(one.rows for one in looked),
        "sealed": [{"bucket": seal.bucket, "n": seal.n, "before": seal.before} for seal in sealed],
        "held_against": [str(path) for path in args.heads],
        "findings": [_shown(each) for each in findings],
    }
    if dossier is not None:
        report |= {
            "confirmation": args.confirmation,
            "entries": len(dossier.testimonies),
            "elsewhere": dossier.elsewhere,
        }
    return report


def _shown(finding: Finding) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "what": finding.what,
        "cause": finding.cause,
        "bucket": finding.bucket,
        "n": finding.n,
        "last": finding.last,
        "confirmation": ids.public(Kind.CONFIRMATION, finding.confirmation_id)
        if finding.confirmation_id
        else None,
    }
    if finding.was is not None:
        shown["was"] = {"bucket": finding.was[0], "n": finding.was[1]}
    if finding.exported_at is not None:
        shown["exported_at"] = finding.exported_at
    return shown


def _line(finding: Finding) -> str:
    rows = f"row {finding.n}" if finding.n == finding.last else f"rows {finding.n} to {finding.last}"
    whose = f", {ids.public(Kind.CONFIRMATION, finding.confirmation_id)}" if finding.confirmation_id else ""
    why = _CAUSE[finding.cause]
    if finding.was is not None:
        why += f" (bucket {finding.was[0]}, row {finding.was[1]})"
    if finding.exported_at is not None:
        why += f" ({finding.exported_at.astimezone().isoformat(' ', 'seconds')})"
    return f"{_WHAT[finding.what]}: bucket {finding.bucket}, {rows}{whose}: {why}"


def _entries(dossier: Dossier) -> Iterator[str]:
    for each in dossier.testimonies:
        entry = each.entry
        at = entry.at.astimezone().isoformat(" ", "milliseconds")[:23] if entry.at else "-"
        state = ", ".join(_WHAT[finding.what] for finding in each.findings) or "sound 完好"
        yield f"{at:23}  row {entry.n:<8} {entry.kind:<12} {entry.hash.hex()[:16]}…  {state}"


def _summary(looked: Sequence[Looked], findings: Sequence[Finding], dossier: Dossier | None) -> Iterator[str]:
    rows = sum(one.rows for one in looked)
    if dossier is not None and dossier.elsewhere:
        yield f"{dossier.elsewhere} more in this chain, about others 同链另有问题，与其他确认有关"
    sealed = [one.seal for one in looked if one.seal is not None]
    if sealed:
        before = max(seal.before for seal in sealed).date()
        yield f"{len(sealed)} chains begin at a seal: rows older than {before} went by retention 已按期清除"
    verdict = f"{len(findings)} findings 发现 {len(findings)} 处问题" if findings else "intact 完好"
    yield f"{len(looked)} chains, {rows} rows: {verdict}"


class _Progress:
    """Where it stands, on standard error, for who waits."""

    def __init__(self) -> None:
        self._chains = self._rows = 0
        self._told = time.monotonic()

    def __call__(self, looked: Looked) -> None:
        self._chains += 1
        self._rows += looked.rows
        if time.monotonic() - self._told >= PROGRESS_SECONDS:
            self._told = time.monotonic()
            print(f"{self._chains} of 256 chains, {self._rows} rows …", file=sys.stderr, flush=True)


# --- heads ---------------------------------------------------------------------------------------


async def heads(args: argparse.Namespace, settings: Settings) -> int:
    """Where the chains end, as a file."""
    try:
        key = _key(args.key_file)
    except (OSError, HeadsFileError) as error:
        return _wrong("heads", str(error))
    try:
        async with existing(settings) as opened:
            ends, at = await Evidence(opened, utc_now).heads()
    except TROUBLES as error:
        print(f"huiyin evidence heads: {error}", file=sys.stderr)
        return FAILED
    print(exported_heads.write(ends, at, key), end="")
    print(
        f"{sum(head.n for head in ends)} rows in {len(ends)} chains at {at.isoformat(timespec='seconds')}: "
        "keep this where who runs the database can't write 请存放在数据库管理员无法改动之处",
        file=sys.stderr,
    )
    return OK


def _key(path: Path | None) -> bytes | None:
    if path is None:
        return None
    key = path.read_bytes().strip()
    if len(key) < SHORTEST_KEY:
        raise HeadsFileError(f"{path}: a key has {SHORTEST_KEY} octets or more, this has {len(key)}")
    return key


def _kept(path: Path, key: bytes | None) -> list[Kept]:
    try:
        return exported_heads.read(path.read_bytes(), key)
    except HeadsFileError as error:
        raise HeadsFileError(f"{path} {error}") from error


def _wrong(command: str, why: str) -> int:
    print(f"huiyin evidence {command}: {why}", file=sys.stderr)
    return WRONG_USE


def _json(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
