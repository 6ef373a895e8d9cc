"""`huiyin demo`: a PostgreSQL, an SMS centre with its customers, a ticket system with its clerks, and the
gateway between them, in one process; and a line for each thing that happens."""

import argparse
import asyncio
import logging
import signal
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from gateway import telemetry
from gateway.app.node import Node, utc_now
from gateway.config import Settings
from gateway.config.schema import Connector, Database, Http, Secret, Security, Sender, Smsc
from gateway.config.schema import Node as NodeSettings
from gateway.domain.ids import IdSource
from gateway.domain.msisdn import mask, parse_msisdn
from gateway.domain.rulebook import Rules
from gateway.services.keys import Keys, Scope
from gateway.simulator import control, scenario
from gateway.simulator.desk import Desk
from gateway.simulator.handset import Handsets
from gateway.simulator.lookups import KINDS
from gateway.simulator.record import Arrival, MoPart
from gateway.simulator.smsc import Smsc as SimulatedSmsc
from gateway.simulator.tickets import TicketSystem
from gateway.simulator.tickets import build as build_tickets
from gateway.sms import coding, udh
from gateway.storage import database as storage
from gateway.storage import migrate
from gateway.storage.embedded import EmbeddedError, EmbeddedServer, remove

OK: Final = 0
FAILED: Final = 1
HOST: Final = "127.0.0.1"
PASSWORD: Final = "demo"  # noqa: S105 - of the simulated SMSC, which listens on this machine alone
#: Whom the visitor plays; all others answer by themselves.
VISITOR: Final = "13905399999"
#: A complaint is resolved every so many seconds.
EVERY: Final = 3.0
LOOK_SECONDS: Final = 0.2


#: What the stand-in service platform is told beside number and service.
_KNOWN: Final = {"confirmation": "{{ confirmation | default(none) }}"}


@dataclass(slots=True)
class _Stage:
    """What stands around the gateway."""

    smsc: SimulatedSmsc
    smsc_control: int
    tickets: TicketSystem
    tickets_port: int


async def demo(args: argparse.Namespace, _settings: Settings) -> int:
    """Run until SIGINT or SIGTERM."""
    telemetry.configure("warning", "console")
    began = time.monotonic()
    data: Path = args.data
    try:
        if args.reset:
            remove(data)
        with EmbeddedServer.start(data) as server:
            await migrate.migrate(server.dsn)
            async with AsyncExitStack() as stack:
                await _play(args, server.dsn, stack, began)
    except (EmbeddedError, storage.StorageUnavailable, migrate.MigrationError, OSError) as error:
        print(f"huiyin demo: {error}", file=sys.stderr)
        return FAILED
    print("Stopped, nothing is left running. 演示已停止。")
    return OK


async def _play(args: argparse.Namespace, dsn: str, stack: AsyncExitStack, began: float) -> None:
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, over.set)
    stage = await _stage(args, stack)
    token = await _key(dsn)
    node = await stack.enter_async_context(Node(_settings(args, stage), dsn, rules=_for_a_demo))
    clerks = Desk(stage.tickets, f"http://{HOST}:{node.port}", token, numbers=_numbers())
    handsets = Handsets(stage.smsc)
    stack.callback(handsets.close)
    _welcome(stage, node, token, time.monotonic() - began)
    narrator = _Narrator(stage)
    running = [asyncio.create_task(clerks.run(EVERY)), asyncio.create_task(narrator.run())]
    try:
        await over.wait()
    finally:
        for task in running:
            task.cancel()
        ended = await asyncio.gather(*running, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):
                logging.getLogger(__name__).error("demo", exc_info=error)


async def _stage(args: argparse.Namespace, stack: AsyncExitStack) -> _Stage:
    played = scenario.change(scenario.shipped("demo"), {"customers": {"hands_off": [VISITOR]}})
    smsc = await SimulatedSmsc.start(played, HOST, args.smsc_port or 0)
    stack.push_async_callback(smsc.close)
    runner, smsc_control = await control.serve(control.build(smsc), HOST, args.handset_port or 0)
    stack.push_async_callback(runner.cleanup)
    tickets = TicketSystem()
    runner, tickets_port = await control.serve(build_tickets(tickets), HOST, args.tickets_port or 0)
    stack.push_async_callback(runner.cleanup)
    return _Stage(smsc, smsc_control, tickets, tickets_port)


def _settings(args: argparse.Namespace, stage: _Stage) -> Settings:
    """As a huiyin.toml would say it."""
    tickets = f"http://{HOST}:{stage.tickets_port}/tickets"
    lookups = f"http://{HOST}:{stage.tickets_port}/lookups"
    services = f"http://{HOST}:{stage.tickets_port}/services/{{{{ to }}}}/{{{{ service.code }}}}"
    return Settings(
        database=Database(folder=str(args.data)),
        http=Http(listen=f"{HOST}:{args.http_port or 0}"),
        smsc={
            "main": Smsc(
                host=HOST,
                port=stage.smsc.port,
                system_id="huiyin",
                password=Secret(PASSWORD),
                allow_plaintext=True,
                binds=2,
            )
        },
        senders={"default": Sender(number="10086", extensions=3)},
        connectors={
            "ticket.satisfaction": Connector(method="PATCH", url=f"{tickets}/{{{{ ticket.id }}}}"),
            "ticket.create": Connector(url=tickets),
            "service.activate": Connector(url=services, body={"action": "activate"} | _KNOWN),
            "service.cancel": Connector(url=services, body={"action": "cancel"} | _KNOWN),
            **{
                f"lookup.{kind}": Connector(
                    method="GET", url=f"{lookups}/{kind}/{{{{ to }}}}", result="/result"
                )
                for kind in KINDS
            },
        },
        security=Security(allow_targets=["127.0.0.0/8"]),
        node=NodeSettings(name="demo"),
    )


def _for_a_demo(rules: Rules) -> Rules:
    """The shipped rules, but customers may be asked as often as the demo is run."""
    surveys = msgspec.structs.replace(rules.surveys, anti_fatigue=None, tiers={})
    return replace(rules, surveys=surveys)


async def _key(dsn: str) -> str:
    async with await storage.Database.open(dsn, size=2, patience=5.0) as opened:
        scopes = [Scope.TICKETS_WRITE, Scope.MESSAGES_WRITE, Scope.READ, Scope.PII_READ, Scope.ADMIN]
        return (await Keys(opened, IdSource(), utc_now).create("demo", scopes)).token


def _numbers() -> Any:
    """Sample numbers; where it begins depends on the minute, so that two runs show different customers."""
    first = 13905310001 + int(time.time() / 60) % 1000
    return (str(number) for number in range(first, 13905319999))


def _welcome(stage: _Stage, node: Node, token: str, seconds: float) -> None:
    print(
        f"""
Huiyin 回音 is running ({seconds:.1f} s). 演示已就绪。

  ticket system 工单系统   http://{HOST}:{stage.tickets_port}/   <- open it: scores land here 打开看评分写回
  gateway 网关             http://{HOST}:{node.port}/readyz, /metrics, /openapi.json
  simulated SMSC 短信中心  smpp://{HOST}:{stage.smsc.port}, control http://{HOST}:{stage.smsc_control}
  API key 接口密钥         {token}

Play a customer yourself 自己扮演客户 ({VISITOR}):
  curl -s http://{HOST}:{node.port}/v1/resolutions -H 'Authorization: Bearer {token}' \\
    -H 'Content-Type: application/json' \\
    -d '{{"to": "{VISITOR}", "ticket": {{"id": "TS-MINE"}}, "text": "您的宽带已恢复。"}}'
  curl -s 'http://{HOST}:{stage.smsc_control}/texts?to={VISITOR}'
  curl -s http://{HOST}:{stage.smsc_control}/mo \\
    -d '{{"from": "86{VISITOR}", "to": "10086", "text": "9分 很快"}}'

Look at the binds and at what passes them 查看链路与协议消息:
  export HUIYIN_URL=http://{HOST}:{node.port} HUIYIN_KEY={token}
  huiyin binds --watch
  huiyin trace --follow --open --to {VISITOR}

The demo has no quiet hours and no limit on surveys: it works at any hour, as often as you like.
演示规则不设静默时段和评价频次限制。 Ctrl-C stops everything 结束演示.
""",
        flush=True,
    )


class _Narrator:
    """A line for each SMS, each reply and each score."""

    def __init__(self, stage: _Stage) -> None:
        self._stage = stage
        self._tickets: asyncio.Queue[Any] = asyncio.Queue(1000)
        self._heard = 0
        stage.tickets.watchers.add(self._tickets)
        stage.smsc.on_message(self._sms)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self._replies()
            while not self._tickets.empty():
                self._ticket(self._tickets.get_nowait())

    def _replies(self) -> None:
        for part in self._stage.smsc.record.mos:
            if part.mo > self._heard:
                self._heard = part.mo
                self._reply(part)

    def _sms(self, arrival: Arrival) -> None:
        self._replies()  # what it may be the answer to
        header = arrival.header
        if header is None or header.number == 1:
            more = f" …({header.total} 条)" if header and header.total > 1 else ""
            _say("短信 SMS   →", arrival.destination, arrival.text.replace("\n", " ") + more)

    def _reply(self, part: MoPart) -> None:
        octets = udh.take(part.octets, part.esm_class)[1]
        _say("回复 reply ←", part.source, coding.decode(octets, part.data_coding).text.replace("\n", " "))

    def _ticket(self, ticket: Any) -> None:
        said = ticket.satisfaction
        if said is None:
            if ticket.kind == "follow_up":
                _say("二次回访 follow-up", ticket.to, ticket.id)
            return
        score = said.score if said.score is not None else "-"
        comment = f"，{said.comment}" if said.comment else ""
        _say("满意度 score ★", ticket.to, f"{ticket.id} = {score} ({said.status}){comment}")


def _say(what: str, number: str, words: str) -> None:
    shown = mask(parse_msisdn(number) or number)
    print(f"{datetime.now():%H:%M:%S}  {what} {shown}  {words}", flush=True)  # noqa: DTZ005 - the visitor's clock
