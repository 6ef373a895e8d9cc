"""Commands for those who run it: migrate, keys, one message sent, one message explained."""

import argparse
import sys
from datetime import datetime
from typing import Any, Final

import asyncpg
import msgspec

from gateway.app import explaining, remote
from gateway.app.database import TROUBLES, NoDatabaseError, database, existing
from gateway.app.node import utc_now
from gateway.cli.answer import FAILED, OK, WRONG_USE, say
from gateway.config import Settings
from gateway.domain import ids
from gateway.domain.ids import IdSource, Kind
from gateway.services.keys import Key, Keys, Scope, unknown_scopes
from gateway.services.lookups import Lookups
from gateway.storage import migrate as migrations

#: Scopes that open something in this version; the others are for what is yet to come.
OPENING: Final = (
    *(Scope.MESSAGES_WRITE, Scope.TICKETS_WRITE, Scope.CONFIRMATIONS_WRITE, Scope.CONTACTS_WRITE),
    *(Scope.READ, Scope.PII_READ, Scope.ADMIN),
)


async def migrate(args: argparse.Namespace, settings: Settings) -> int:
    """Bring the schema up to this version, try it, or say what waits."""
    folder = settings.path(settings.database.folder)
    try:
        if args.status and settings.database.embedded and not folder.exists():
            raise NoDatabaseError(f"there is no database in {folder} yet: `huiyin migrate` makes it")
        with database(settings) as dsn:
            if args.status:
                waiting = await migrations.pending(dsn)
                print(
                    *(f"waits: {each.path.name}" for each in waiting), sep="\n", end="\n" if waiting else ""
                )
                print("up to date" if not waiting else f"{len(waiting)} to apply")
                return OK
            applied = await migrations.migrate(dsn, dry_run=args.dry_run, patience=10.0)
    except TROUBLES as error:
        return _failed("migrate", error)
    verb = "would apply" if args.dry_run else "applied"
    for each in applied:
        print(f"{verb}: {each.version:04} {each.name}" if each.tried else f"not tried: {each.name}")
    print("up to date" if not applied else f"{verb} {len(applied)}")
    return OK


# --- keys ----------------------------------------------------------------------------------------


async def key_create(args: argparse.Namespace, settings: Settings) -> int:
    """Make a key and show it, once."""
    strange = unknown_scopes(args.scopes)
    if strange or not args.scopes:
        known = ", ".join(OPENING)
        say("key create", f"no such scope: {', '.join(strange) or 'none given'}; there are {known}")
        return WRONG_USE
    if not args.name.strip():
        say("key create", "--name: say who will use the key")
        return WRONG_USE
    if args.rate is not None and args.rate < 1:
        say("key create", "--rate: calls a second, 1 or more")
        return WRONG_USE
    try:
        async with existing(settings, awaited=True) as opened:
            made = await Keys(opened, IdSource(), utc_now).create(
                args.name.strip(), [Scope(scope) for scope in args.scopes], args.rate
            )
    except TROUBLES as error:
        return _failed("key create", error)
    if args.json:
        print(_json(_shown(made.key) | {"key": made.token}))
    else:
        print(made.token)
        print(f"{made.key.public_id}: this is shown once. 密钥只显示这一次，请妥善保存。", file=sys.stderr)
    return OK


async def key_list(args: argparse.Namespace, settings: Settings) -> int:
    """All keys, without their secrets."""
    try:
        async with existing(settings) as opened:
            keys = await Keys(opened, IdSource(), utc_now).list()
    except TROUBLES as error:
        return _failed("key list", error)
    if args.json:
        print(_json([_shown(key) for key in keys]))
        return OK
    for key in keys:
        state = f"revoked {_moment(key.revoked_at)}" if key.revoked_at else "live"
        rate = f"{key.rate}/s" if key.rate else "-"
        print(f"{key.public_id}  {state:<8} {rate:>8}  {','.join(sorted(key.scopes))}  {key.name}")
    return OK


async def key_revoke(args: argparse.Namespace, settings: Settings) -> int:
    """End a key."""
    uid = ids.parse(Kind.KEY, args.id)
    if uid is None:
        say("key revoke", f"{args.id}: not an id of a key; `huiyin key list` shows them")
        return WRONG_USE
    try:
        async with existing(settings) as opened:
            known = await Keys(opened, IdSource(), utc_now).revoke(uid)
    except TROUBLES as error:
        return _failed("key revoke", error)
    if not known:
        say("key revoke", f"{args.id}: there is no such key; `huiyin key list` shows them")
        return WRONG_USE
    print(_json({"id": args.id, "revoked": True}) if args.json else f"{args.id} is revoked")
    return OK


def _shown(key: Key) -> dict[str, Any]:
    return {
        "id": key.public_id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "rate": key.rate,
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
    }


# --- one message ---------------------------------------------------------------------------------


async def send(args: argparse.Namespace, settings: Settings) -> int:
    """Send one message through a running gateway, as any other caller would."""
    key = remote.key_of(args, "send")
    if key is None:
        return WRONG_USE
    url = remote.url_of(args, settings)
    wish = {
        "to": args.to,
        "text": args.text,
        "template": args.template,
        "params": dict(args.params) if args.template else None,
        "lane": args.lane,
        "ref": args.ref,
        "sender": args.sender,
        "language": args.language,
        "valid_for": args.valid_for,
        "handling": _handling(args),
    }
    body = {name: value for name, value in wish.items() if value is not None}
    try:
        async with (
            remote.session(key) as session,
            session.post(f"{url}/v1/messages", json=body) as response,
        ):
            answer = msgspec.json.decode(await response.read(), type=dict[str, Any])
            accepted = response.status == 202
    except remote.TROUBLES as error:
        why = remote.unreached(url, error, "; whether it was sent is not known")
        say("send", why)
        return FAILED
    if args.json:
        print(_json(answer))
    elif accepted:
        print(f"{answer['id']}  {answer['status']}, {answer['segments']} × {answer['encoding']}")
    else:
        say("send", remote.told(answer))
    return OK if accepted else FAILED


def _handling(args: argparse.Namespace) -> dict[str, Any] | None:
    """How it is to be carried; None: nothing is said of that."""
    wish = {
        "flash": args.flash or None,
        "priority": args.priority,
        "deliver_at": args.deliver_at,
        "parameters": dict(args.tlvs) or None,
    }
    return {name: value for name, value in wish.items() if value is not None} or None


async def explain(args: argparse.Namespace, settings: Settings) -> int:
    """A message's way, step by step, with the reasons."""
    uid = ids.parse(Kind.MESSAGE, args.id)
    if uid is None:
        say("explain", f"{args.id}: not an id of a message; it looks like msg_0199…")
        return WRONG_USE
    try:
        async with existing(settings) as opened:
            record = await Lookups(opened, utc_now).message(uid)
    except TROUBLES as error:
        return _failed("explain", error)
    if record is None:
        say("explain", f"{args.id}: there is no such message")
        return WRONG_USE
    if args.json:
        print(_json({"message": record.message._asdict(), "steps": [s._asdict() for s in record.steps]}))
        return OK
    print(*explaining.lines(args.id, record), sep="\n")
    return OK


def _moment(moment: datetime | None) -> str:
    return moment.astimezone().isoformat(" ", "milliseconds")[:23] if moment else ""


def _json(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _failed(command: str, error: BaseException) -> int:
    if isinstance(error, asyncpg.UndefinedTableError | asyncpg.UndefinedColumnError):
        error = NoDatabaseError("the database has another schema: run `huiyin migrate` first")
    say(command, str(error))
    return FAILED
