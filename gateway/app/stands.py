"""Stand-ins for the world outside as commands, and the benchmark."""

import argparse
import os
import runpy
import sys
from pathlib import Path

from gateway import telemetry
from gateway.cli.answer import FAILED, OK, WRONG_USE, say
from gateway.config import Settings
from gateway.simulator import certificates, serve
from gateway.simulator.certificates import Tls, TlsError
from gateway.simulator.scenario import ScenarioError


async def smsc(args: argparse.Namespace, settings: Settings) -> int:
    """Run the simulated SMS centre until a signal."""
    _configure_log(settings)
    host, port = args.listen
    control_host, control_port = args.control or ("127.0.0.1", None)
    accounts = [account.partition(":")[::2] for account in args.account or ()]
    if any(not name or not word for name, word in accounts):
        say("smsc", "--account: write it as system_id:password")
        return WRONG_USE
    if wrong := _tls_wrong(args):
        say("smsc", wrong)
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
        say("smsc", str(error))
        return FAILED
    return OK


def _configure_log(settings: Settings) -> None:
    """As configured; on a terminal what is said in words there is not said by the log as well."""
    told = sys.stdout.isatty() and sys.stderr.isatty() and settings.log.level == "info"
    telemetry.configure("warning" if told else settings.log.level, settings.log.style)


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
    _configure_log(settings)
    host, port = args.listen
    url, key = args.gateway, args.key or os.environ.get("HUIYIN_KEY")
    if url and not key:
        say("ticket-system", "--gateway needs an API key, in $HUIYIN_KEY or with --key")
        return WRONG_USE

    def ready(port: int) -> None:
        print(f"ticket system 工单系统: http://{host}:{port}/", flush=True)

    try:
        await serve.serve_tickets(
            host=host, port=port, journal_path=args.journal, gateway_url=url, api_key=key, ready=ready
        )
    except OSError as error:
        say("ticket-system", str(error))
        return FAILED
    return OK


def bench(args: argparse.Namespace, _settings: Settings) -> int:
    """The benchmark lives beside the package, not in it: it needs a checkout and the test packages."""
    root = Path(__file__).resolve().parent.parent.parent
    if not (root / "bench" / "__main__.py").exists():
        say("bench", "run it in a checkout (make bench)")
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
