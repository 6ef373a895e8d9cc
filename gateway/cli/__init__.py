"""The command `huiyin`: a table of commands, each carried out by a function that is imported only when asked.

Exit status: 0, 1 (it failed, or found faults), 2 (wrong use).
"""

import argparse
import importlib
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli.answer import FAILED, INTERRUPTED, OK, WRONG_USE, tell_faults
from gateway.cli.commands import COMMANDS, GROUPS, Command, Parser

if TYPE_CHECKING:
    from gateway.config import Settings


def parser() -> Parser:
    """The whole command line."""
    root = Parser(
        prog="huiyin",
        description="Huiyin (回音), an SMS-centric customer interaction gateway. 短信客户互动网关。",
        epilog="`huiyin COMMAND --help` tells more. Exit status: 0, 1 (it failed), 2 (wrong use).",
    )
    root.add_argument(
        "--config", type=Path, metavar="FILE", help="default: $HUIYIN_CONFIG, else ./huiyin.toml"
    )
    root.add_argument("--version", action="store_true", help="print the version")
    below = root.add_subparsers(metavar="COMMAND", title="commands")
    groups: dict[str, Any] = {}
    for command in COMMANDS:
        group, _, name = command.name.rpartition(" ")
        if group and group not in groups:
            told, chinese = GROUPS[group]
            head = below.add_parser(group, help=f"{told} {chinese}", description=f"{told} {chinese}")
            head.set_defaults(usage_of=head)
            groups[group] = head.add_subparsers(metavar="COMMAND", title="commands")
        told = f"{command.told} {command.chinese}"
        sub = (groups[group] if group else below).add_parser(name, help=told, description=told)
        # Also behind the command; what was said before it is kept.
        sub.add_argument(
            "--config", type=Path, metavar="FILE", default=argparse.SUPPRESS, help=argparse.SUPPRESS
        )
        command.options(sub)
        sub.set_defaults(command=command)
    return root


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out one command line; answers with the exit status."""
    root = parser()
    try:
        args = root.parse_args(argv)
    except SystemExit as stop:  # argparse has said what it had to say
        return stop.code if isinstance(stop.code, int) else WRONG_USE
    if args.version:
        print(f"huiyin {version()}")
        return OK
    command: Command | None = getattr(args, "command", None)
    if command is None:
        getattr(args, "usage_of", root).print_help(sys.stderr)
        return WRONG_USE
    try:
        return _carry_out(command, args)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader, such as head, has seen enough
        sys.stderr.close()
        return OK


def version() -> str:
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as of

    try:
        return of("huiyin")
    except PackageNotFoundError:
        return "(from source)"


def _carry_out(command: Command, args: argparse.Namespace) -> int:
    from gateway.config import ConfigError, Settings, load

    settings = Settings()
    if command.reads == "configuration" or (command.reads == "named" and args.config):
        try:
            settings = load(args.config)
        except ConfigError as error:
            return tell_faults(error.faults, as_json=getattr(args, "json", False))
    function = _find(command.run)
    if function is None:
        print(f"huiyin {command.name}: not in this build", file=sys.stderr)
        return FAILED
    answer = function(args, settings)
    return _run(answer) if isinstance(answer, Coroutine) else int(answer)


def _find(name: str) -> Callable[[argparse.Namespace, "Settings"], Any] | None:
    module, _, function = name.partition(":")
    try:
        found: Callable[..., Any] | None = getattr(importlib.import_module(module), function, None)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        return None
    return found


def _run(work: Coroutine[Any, Any, int]) -> int:
    import asyncio

    if sys.platform == "win32":
        return asyncio.run(work)
    import uvloop

    return uvloop.run(work)
