"""`huiyin smsc-probe`: what an SMSC does, found out by asking it, for people and as a profile."""

import argparse
import getpass
import logging
import os
import ssl
import sys
from pathlib import Path
from typing import Final

import msgspec

from gateway.config import Settings
from gateway.esme.probe import Bounds, Target, messages_planned, probe
from gateway.esme.probe.report import profile_of, tell

OK, FAILED, WRONG_USE = 0, 1, 2
_CLOSE: Final = (
    "close the account's other sessions first: they count as its sessions, and may take the receipts. "
    "请先断开该账号的其他连接"
)


async def smsc_probe(args: argparse.Namespace, _settings: Settings) -> int:
    """Ask, tell, and write the profile. 1: nobody answered, or no bind was accepted."""
    logging.getLogger().addHandler(logging.NullHandler())  # what smpplib complains of is a finding here
    try:
        target = _target(args)
        if args.write and not args.write.parent.is_dir():
            raise ValueError(f"--write: there is no folder {args.write.parent}")
    except (OSError, ValueError) as error:
        print(f"huiyin smsc-probe: {_why(error)}", file=sys.stderr)
        return WRONG_USE
    bounds = Bounds(
        messages=args.messages if target.to else 0,
        binds=args.binds_up_to,
        window=args.window_up_to,
        rate=args.rate_up_to,
        receipt=args.receipt_wait,
    )
    if target.to and not args.yes and not _agreed(target, bounds):
        return WRONG_USE
    print(f"huiyin smsc-probe: {_CLOSE}", file=sys.stderr)
    findings = await probe(target, bounds)
    if args.json:
        print(msgspec.json.format(msgspec.json.encode(findings), indent=2).decode())
    else:
        print(*tell(findings), sep="\n")
    if args.write and not findings.bound:
        why = findings.unknown[-1] if findings.unknown else "no bind was accepted"
        print(f"huiyin smsc-probe: {args.write} is not written: {why}", file=sys.stderr)
    if args.write and findings.bound:
        try:
            args.write.write_text(profile_of(findings), encoding="utf-8")
        except OSError as error:
            print(f"huiyin smsc-probe: {_why(error)}", file=sys.stderr)
            return FAILED
        print(
            f'\nwritten 已写入: {args.write}; say profile = "{args.write.stem}" in [smsc.…]', file=sys.stderr
        )
    return OK if findings.bound else FAILED


def _target(args: argparse.Namespace) -> Target:
    """Raises OSError and ValueError."""
    host, port = args.smsc
    to = "".join(filter(str.isdecimal, args.to or ""))
    if args.to and not 3 <= len(to) <= 20:
        raise ValueError(f"--to: {args.to} is no number")
    if to and not args.sender:
        raise ValueError("--from: say which of your numbers the messages are to come from")
    if any(value < 1 for value in (args.messages, args.binds_up_to, args.window_up_to, args.rate_up_to)):
        raise ValueError("bounds are 1 or more")
    return Target(
        host=host,
        port=port,
        system_id=args.system_id,
        password=_password(args.password_file),
        system_type=args.system_type,
        to=to,
        sender=args.sender or "",
        tls=_tls(args, named=args.tls == "verify"),
        stock_tls=_tls(args, named=False),
        tls_server_name=args.tls_server_name,
    )


def _password(file: Path | None) -> str:
    if file is not None:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    if (given := os.environ.get("HUIYIN_SMSC_PASSWORD")) is not None:
        return given
    if sys.stdin.isatty():
        return getpass.getpass("password 密码: ")
    raise ValueError("give the password in --password-file, or in $HUIYIN_SMSC_PASSWORD")


def _tls(args: argparse.Namespace, *, named: bool) -> ssl.SSLContext | None:
    if not args.tls:
        if args.tls_ca or args.tls_server_name or args.tls_certificate:
            raise ValueError("--tls-ca, --tls-server-name and --tls-certificate go with --tls")
        return None
    context = ssl.create_default_context(cafile=str(args.tls_ca) if args.tls_ca else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = named
    if args.tls_certificate:
        context.load_cert_chain(args.tls_certificate, args.tls_key, password=lambda: "")
    return context


def _agreed(target: Target, bounds: Bounds) -> bool:
    """Nothing is sent that nobody agreed to."""
    most = messages_planned(bounds)
    told = (
        f"At most {most} messages to {target.to}, from {target.sender}, through {target.host}:{target.port}."
    )
    if not sys.stdin.isatty():
        print(f"huiyin smsc-probe: {told} Say --yes if they may be sent.", file=sys.stderr)
        return False
    print(f"{told} 最多发送 {most} 条短信。", file=sys.stderr)
    return input("Send them? 是否发送？ [y/N] ").strip().lower() in {"y", "yes", "是"}


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return "--tls-ca, --tls-certificate, --tls-key: a file is not PEM, is encrypted, or is another's"
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)
