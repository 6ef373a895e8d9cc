"""The options of each command. Nothing is imported here but argparse: help is to be quick."""

import argparse
from pathlib import Path

Parser = argparse.ArgumentParser


def _listening(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f'"{text}" is no address; write it as 127.0.0.1:2775')
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104 - ":2775" asks for every address


def _parameter(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise argparse.ArgumentTypeError(f'"{text}" is no parameter; write it as name=value')
    return key, value


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f'"{text}" is no port')
    return int(text)


def as_json(parser: Parser) -> None:
    parser.add_argument("--json", action="store_true", help="answer in JSON, for programs")


def demo(parser: Parser) -> None:
    parser.add_argument("--reset", action="store_true", help="start from nothing: remove ./.huiyin/ first")
    parser.add_argument(
        "--data", type=Path, default=Path(".huiyin"), metavar="DIR", help="default: ./.huiyin/"
    )
    for name in ("http", "smsc", "handset", "tickets"):
        parser.add_argument(
            f"--{name}-port", type=_port, default=None, metavar="N", help="default: a free one"
        )


def serve(parser: Parser) -> None:
    parser.add_argument("--roles", type=_words, metavar="A,B", help="api, sender; default: everything")


def smsc(parser: Parser) -> None:
    parser.add_argument("--listen", type=_listening, default=("127.0.0.1", 2775), metavar="HOST:PORT")
    parser.add_argument(
        "--control", type=_listening, metavar="HOST:PORT", help="HTTP: messages that arrived, replies to send"
    )
    parser.add_argument(
        "--account", action="append", metavar="ID:PASSWORD", help="who may bind; without it, whoever comes"
    )
    parser.add_argument(
        "--scenario",
        type=Path,
        metavar="FILE",
        help="a YAML scenario or a shipped one's name: delays, faults",
    )
    parser.add_argument(
        "--record",
        type=Path,
        metavar="FILE",
        help="append all that is seen to this file, a JSON object a line",
    )
    parser.add_argument("--seed", type=int, default=None, help="same seed, same course")
    parser.add_argument("--tls-certificate", type=Path, metavar="FILE", help="PEM; speak TLS with it")
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="PEM; its key")
    parser.add_argument(
        "--tls-client-ca", type=Path, metavar="FILE", help="PEM; let in only clients that it vouches for"
    )
    parser.add_argument(
        "--tls-test-ca",
        type=Path,
        metavar="DIR",
        help="speak TLS with certificates for tests, made there once: ca.pem, server.*, client.*",
    )


def tickets(parser: Parser) -> None:
    parser.add_argument("--listen", type=_listening, default=("127.0.0.1", 9000), metavar="HOST:PORT")
    parser.add_argument("--gateway", metavar="URL", help="resolve a complaint there every few seconds")
    parser.add_argument("--key", help="API key for it; better in $HUIYIN_KEY")
    parser.add_argument("--journal", type=Path, metavar="FILE", help="append each call to this file")


def migrate(parser: Parser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="try it in a transaction that is rolled back")
    parser.add_argument("--status", action="store_true", help="only say what is applied and what waits")


def check(parser: Parser) -> None:
    parser.add_argument("--explain", action="store_true", help="print what can be set, as Markdown")
    as_json(parser)


def template(parser: Parser) -> None:
    parser.add_argument(
        "template", nargs="?", metavar="TEMPLATE", help="category/name, such as complaint/resolution"
    )
    parser.add_argument("--text", help="any text instead 任意文本")
    parser.add_argument(
        "-p",
        dest="params",
        type=_parameter,
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="repeatable",
    )
    parser.add_argument("--language", metavar="LANG", help="zh-CN, zh-TW, en; default: the configuration's")
    parser.add_argument("--route", metavar="ROUTE", help="cut as [smsc.ROUTE] cuts 按该通道拆分")
    parser.add_argument("--profile", metavar="NAME", help="cut as this profile says 按该档案拆分")
    as_json(parser)


def profile(parser: Parser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="default: the names of all")


def send(parser: Parser) -> None:
    parser.add_argument("to", metavar="NUMBER", help="13905310001, +8613905310001 or 8613905310001")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--text", help="the message itself")
    what.add_argument("--template", metavar="TEMPLATE", help="category/name, with -p for its parameters")
    parser.add_argument(
        "-p", dest="params", type=_parameter, action="append", default=[], metavar="KEY=VALUE"
    )
    parser.add_argument("--lane", choices=["emergency", "transactional", "service", "survey", "marketing"])
    parser.add_argument("--ref", help="your own word for it, to find it again")
    parser.add_argument("--sender", metavar="NAME", help="a sender of the configuration; else `default` 主叫")
    parser.add_argument("--language", metavar="LANG", help="of the template: zh-CN, zh-TW, en")
    parser.add_argument("--flash", action="store_true", help="shown at once, not kept 闪信")
    parser.add_argument("--priority", type=int, choices=range(4), help="priority_flag; else the route's")
    parser.add_argument(
        "--tlv",
        dest="tlvs",
        type=_parameter,
        action="append",
        default=[],
        metavar="TAG=HEX",
        help="a further parameter, as 0x1403=0a0b; repeatable",
    )
    parser.add_argument("--deliver-at", metavar="TIME", help="the SMSC keeps it until then; RFC 3339")
    parser.add_argument("--valid-for", metavar="DURATION", help="30s, 15m, 72h; then it expires")
    gateway(parser)
    as_json(parser)


def gateway(parser: Parser) -> None:
    parser.add_argument("--url", help="of a running gateway; default: $HUIYIN_URL, else the configuration's")
    parser.add_argument("--key", help="API key; better in $HUIYIN_KEY, where other users don't see it")


def binds(parser: Parser) -> None:
    parser.add_argument("--watch", action="store_true", help="again every 2 seconds, until Ctrl-C 持续刷新")
    gateway(parser)
    as_json(parser)


def trace(parser: Parser) -> None:
    parser.add_argument(
        "--bind", metavar="BIND", help="as `huiyin binds` names it, or a route for all its binds 通道"
    )
    parser.add_argument("--to", metavar="NUMBER", help="a customer's number, either way 用户号码")
    parser.add_argument("--message", metavar="MSG", help="msg_…: its attempts, answers, receipts 某条短信")
    parser.add_argument(
        "--limit", type=int, metavar="N", help="the last so many; default: 100, or 10 with --follow 条数"
    )
    parser.add_argument("--follow", action="store_true", help="go on with what passes 持续跟踪")
    parser.add_argument(
        "--open", action="store_true", help="numbers, texts and octets whole; needs pii:read 不脱敏"
    )
    parser.add_argument("--all", action="store_true", help="enquire_link too 包括链路检测")
    gateway(parser)
    parser.add_argument("--json", action="store_true", help="an object a line, for programs")


def decode(parser: Parser) -> None:
    parser.add_argument(
        "file", type=Path, nargs="?", metavar="FILE", help="a TCP stream, or hex; default: standard input"
    )
    parser.add_argument("--open", action="store_true", help="numbers and texts whole 不脱敏")
    parser.add_argument("--json", action="store_true", help="an object a line, for programs")


def smsc_probe(parser: Parser) -> None:
    parser.add_argument("smsc", type=_listening, metavar="HOST:PORT", help="the SMSC 短信中心地址")
    parser.add_argument("--system-id", required=True, metavar="ID", help="the account 账号")
    parser.add_argument(
        "--password-file", type=Path, metavar="FILE", help="else $HUIYIN_SMSC_PASSWORD, else it is asked for"
    )
    parser.add_argument("--system-type", default="", metavar="TYPE")
    parser.add_argument(
        "--to", metavar="NUMBER", help="the one number to send to, your own; without it nothing is sent"
    )
    parser.add_argument("--from", dest="sender", metavar="SENDER", help="the sender address 主叫")
    parser.add_argument("--yes", action="store_true", help="send without asking 不再询问")
    parser.add_argument("--messages", type=int, default=200, metavar="N", help="in all; default: 200")
    parser.add_argument(
        "--rate-up-to", type=int, default=100, metavar="N", help="a second, for a second and a half; 100"
    )
    parser.add_argument("--window-up-to", type=int, default=20, metavar="N", help="at once; default: 20")
    parser.add_argument("--binds-up-to", type=int, default=8, metavar="N", help="sessions at a time; 8")
    parser.add_argument(
        "--receipt-wait", type=float, default=20.0, metavar="SECONDS", help="for receipts; default: 20"
    )
    parser.add_argument(
        "--tls",
        nargs="?",
        const="verify",
        choices=["verify", "verify-ca"],
        help="over TLS; verify-ca: whatever its name",
    )
    parser.add_argument("--tls-ca", type=Path, metavar="FILE", help="who may have signed its certificate")
    parser.add_argument("--tls-server-name", metavar="NAME", help="the name in it; default: HOST")
    parser.add_argument("--tls-certificate", type=Path, metavar="FILE", help="of ours, if it asks for one")
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="the key of that certificate")
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="write the profile there, as YAML 写出档案"
    )
    as_json(parser)


def key_create(parser: Parser) -> None:
    parser.add_argument("--name", required=True, help="who will use it")
    parser.add_argument(
        "--scopes", required=True, type=_words, metavar="A,B", help="such as messages:write,read"
    )
    parser.add_argument("--rate", type=int, metavar="N", help="calls a second; default: the configuration's")
    as_json(parser)


def key_revoke(parser: Parser) -> None:
    parser.add_argument("id", metavar="ID", help="as `huiyin key list` shows it")
    as_json(parser)


def explain(parser: Parser) -> None:
    parser.add_argument("id", metavar="MESSAGE", help="msg_…")
    as_json(parser)


def evidence_verify(parser: Parser) -> None:
    parser.add_argument(
        "--confirmation", metavar="ID", help="cnf_…: this one, and all of its chain 只查某一笔确认"
    )
    parser.add_argument(
        "--heads",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="heads that were exported and kept elsewhere; repeatable: finds chains rewritten since "
        "与另行留存的链头比对",
    )
    parser.add_argument(
        "--key-file", type=Path, metavar="FILE", help="the key that those files are signed with 签名密钥"
    )
    as_json(parser)


def evidence_heads(parser: Parser) -> None:
    parser.add_argument(
        "--key-file",
        type=Path,
        metavar="FILE",
        help="sign time and heads with the octets of this file, 32 or more; keep it elsewhere 签名密钥",
    )


def bench(parser: Parser) -> None:
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help="only these; default: all of them")
    parser.add_argument("--smsc", type=_listening, metavar="HOST:PORT", help="against an SMSC of yours")
    parser.add_argument("--quick", action="store_true", help="a tenth of each, to see that it runs")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the figures as JSON as well")
    as_json(parser)
