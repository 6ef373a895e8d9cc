"""The commands, as a table. Nothing is imported here but argparse: help is to be quick."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from gateway.cli import options
from gateway.cli.options import Parser

__all__ = ["COMMANDS", "GROUPS", "Command", "Parser"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command: its words, its options, and the function that does it.

    `run` names `async def (args, settings) -> int`, or a plain function, as "module:function". `reads` says
    where its settings come from: the configuration; only a file that was named; or it reads them itself.
    """

    name: str
    told: str
    chinese: str
    run: str
    options: Callable[[Parser], None] = lambda parser: None
    reads: Literal["configuration", "named", "itself"] = "configuration"


COMMANDS: Final = (
    Command(
        name="demo",
        told="start everything on this machine, with customers who answer",
        chinese="一键演示",
        run="gateway.app:demo",
        options=options.demo,
        reads="named",
    ),
    Command(
        name="serve",
        told="run the gateway",
        chinese="运行网关",
        run="gateway.app:serve",
        options=options.serve,
    ),
    Command(
        name="check",
        told="say everything that is wrong with configuration, templates and rules",
        chinese="检查配置、模板与规则",
        run="gateway.cli.desk:check",
        options=options.check,
        reads="itself",
    ),
    Command(
        name="preview",
        told="show a template, or any text, as the customer will see it, with its segments",
        chinese="预览短信",
        run="gateway.cli.desk:preview",
        options=options.template,
    ),
    Command(
        name="profile",
        told="print the profile of an SMSC, shipped or your own; without a name, list them",
        chinese="查看短信中心档案",
        run="gateway.cli.desk:profile",
        options=options.profile,
        reads="named",
    ),
    Command(
        name="send",
        told="send one message through a running gateway",
        chinese="发送一条短信",
        run="gateway.app:send",
        options=options.send,
    ),
    Command(
        name="explain",
        told="why a message was sent, held or dropped",
        chinese="说明一条短信的来龙去脉",
        run="gateway.app:explain",
        options=options.explain,
    ),
    Command(
        name="binds",
        told="how the binds to the SMSCs stand: state, window, rate, round trip, receipts",
        chinese="查看短信中心链路状态",
        run="gateway.app:binds",
        options=options.binds,
    ),
    Command(
        name="trace",
        told="the PDUs that passed, decoded, of one bind, number or message",
        chinese="跟踪收发的协议消息",
        run="gateway.app:trace",
        options=options.trace,
    ),
    Command(
        name="decode",
        told="tell PDUs in words: hex out of a log, or a TCP stream",
        chinese="解码协议消息",
        run="gateway.app:decode",
        options=options.decode,
        reads="itself",
    ),
    Command(
        name="key create",
        told="make an API key; it is shown once",
        chinese="新建接口密钥",
        run="gateway.app:key_create",
        options=options.key_create,
    ),
    Command(
        name="key list",
        told="the API keys, without their secrets",
        chinese="列出接口密钥",
        run="gateway.app:key_list",
        options=options.as_json,
    ),
    Command(
        name="key revoke",
        told="end an API key, at once and for good",
        chinese="吊销接口密钥",
        run="gateway.app:key_revoke",
        options=options.key_revoke,
    ),
    Command(
        name="evidence verify",
        told="whether evidence was changed, removed, put in or moved",
        chinese="校验办理凭证是否被改动",
        run="gateway.app.evidence:verify",
        options=options.evidence_verify,
    ),
    Command(
        name="evidence heads",
        told="where the chains of evidence end: JSON to be kept elsewhere",
        chinese="导出链头，另行留存",
        run="gateway.app.evidence:heads",
        options=options.evidence_heads,
    ),
    Command(
        name="migrate",
        told="bring the database to this version's schema",
        chinese="升级数据库",
        run="gateway.app:migrate",
        options=options.migrate,
    ),
    Command(
        name="smsc",
        told="run the simulated SMS centre",
        chinese="模拟短信中心",
        run="gateway.app:smsc",
        options=options.smsc,
        reads="named",
    ),
    Command(
        name="smsc-probe",
        told="find out what an SMSC does, and write it down as a profile",
        chinese="探测短信中心的行为",
        run="gateway.app:smsc_probe",
        options=options.smsc_probe,
        reads="itself",
    ),
    Command(
        name="ticket-system",
        told="run the stand-in ticket system",
        chinese="模拟工单系统",
        run="gateway.app:ticket_system",
        options=options.tickets,
        reads="named",
    ),
    Command(
        name="bench",
        told="measure, beside what the figures are held against",
        chinese="性能测试",
        run="gateway.app:bench",
        options=options.bench,
        reads="named",
    ),
)


#: Commands of two words have a head of their own.
GROUPS: Final = {
    "key": ("API keys", "接口密钥"),
    "evidence": ("evidence of paid confirmations", "付费确认的办理凭证"),
}
