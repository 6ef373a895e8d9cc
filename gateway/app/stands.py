"""Stand-ins for the world outside as commands, and the benchmark."""

import argparse
import os
import runpy
import sys
from pathlib import Path
from typing import Final

from gateway import telemetry
from gateway.config import Settings
from gateway.simulator import certificates, serve
from gateway.simulator.certificates import Tls, TlsError
from gateway.simulator.scenario import ScenarioError

OK: Final = 0
FAILED: Final = 1
WRONG_USE: Final = 2


async def smsc(args: argparse.Namespace, settings: Settings) -> int:
    """Run the simulated SMS centre until a signal."""
    telemetry.configure(settings.log.level, settings.log.style)
    host, port = args.listen
    control_host, control_port = args.control or ("127.0.0.1", None)
    accounts = [account.partition(":")[::2] for account in args.account or ()]
    if any(not name or not word for name, word in accounts):
        print("--account: write it as system_id:password", file=sys.stderr)
        return WRONG_USE
    if wrong := _tls_wrong(args):
        print(wrong, file=sys.stderr)
        return WRONG_USE

    def ready(port: int, control: int | None) -> None:
        at = f", control http://{control_host}:{control}" if control else ""
        scheme = "smpp" if tls is None else "smpps"
        print(f"simulated SMSC 模拟短信中心: {scheme}://{host}:{port}{at}", flush=True)

    tls: Tls | None = None
    try:
        if args.tls_test_ca:
            tls = certificates.make_or_find(args.tls_test_ca)
        elif args.tls_certificate:
            tls = Tls(args.tls_certificate, args.tls_key, args.tls_client_ca)
        await serve.serve_smsc(
            host=host,
            port=port,
            control_host=control_host,
            control_port=control_port,
            scenario_path=args.scenario,
            record_path=args.record,
            accounts=accounts,
            seed=args.seed,
            tls=tls,
            ready=ready,
        )
    except (ScenarioError, TlsError, OSError) as error:
        print(f"huiyin smsc: {error}", file=sys.stderr)
        return FAILED
    return OK


def _tls_wrong(args: argparse.Namespace) -> str:
    """What is wrong with the options about TLS; empty: nothing."""
    if args.tls_test_ca and (args.tls_certificate or args.tls_key or args.tls_client_ca):
        return "--tls-test-ca makes the other --tls files itself: give it alone"
    if bool(args.tls_certificate) != bool(args.tls_key):
        return "--tls-certificate and --tls-key go together"
    if args.tls_client_ca and not args.tls_certificate:
        return "--tls-client-ca needs --tls-certificate and --tls-key"
    return ""


async def ticket_system(args: argparse.Namespace, settings: Settings) -> int:
    """Run the stand-in ticket system until a signal."""
    telemetry.configure(settings.log.level, settings.log.style)
    host, port = args.listen
    url, key = args.gateway, args.key or os.environ.get("HUIYIN_KEY")
    if url and not key:
        print("--gateway needs an API key, in $HUIYIN_KEY or with --key", file=sys.stderr)
        return WRONG_USE

    def ready(port: int) -> None:
        print(f"ticket system 工单系统: http://{host}:{port}/", flush=True)

    try:
        await serve.serve_tickets(
            host=host, port=port, journal_path=args.journal, gateway_url=url, api_key=key, ready=ready
        )
    except OSError as error:
        print(f"huiyin ticket-system: {error}", file=sys.stderr)
        return FAILED
    return OK


def bench(args: argparse.Namespace, _settings: Settings) -> int:
    """The benchmark lives beside the package, not in it: it needs a checkout and the test packages."""
    root = Path(__file__).resolve().parent.parent.parent
    if not (root / "bench" / "__main__.py").exists():
        print("huiyin bench: run it in a checkout (make bench)", file=sys.stderr)
        return FAILED
    sys.path.insert(0, str(root))
    smsc = f"{args.smsc[0]}:{args.smsc[1]}" if args.smsc else None
    options = [*args.figures]
    options += ["--quick"] if args.quick else []
    options += ["--smsc", smsc] if smsc else []
    options += ["--output", str(args.output)] if args.output else []
    options += ["--json"] if args.json else []
    sys.argv = ["bench", *options]
    runpy.run_module("bench", run_name="__main__", alter_sys=True)
    return OK
