"""Evidence as a page that a complaint officer prints and hands over: nothing in it runs or hides.

Whatever others wrote (customers, operators' systems, the wire) is escaped; signs that print as nothing or
turn the text around them are shown by their code.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from gateway.domain import ids
from gateway.domain.evidence import DOMAIN, canonical, instant
from gateway.domain.ids import Kind
from gateway.domain.tampering import Finding
from gateway.http.evidence_words import LANGUAGES, Words
from gateway.services.evidence import Attested, Dossier

_FOLDER: Final = Path(__file__).parent / "pages"
#: As it stands in the page.
STYLE: Final = (_FOLDER / "evidence.css").read_text(encoding="utf-8").removesuffix("\n")

#: Print as nothing, or turn the text around them: controls, formats, halves of pairs, odd blanks and breaks.
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
#: Letters and marks that print as nothing.
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
_PLAIN: Final = frozenset(" \n\u3000")

#: Fields that are keys into our own tables, or told beside another one.
_SKIPPED: Final = frozenset({"parts", "reply_id", "callback_id", "key_id", "version"})
_STYLES: Final = {"text": "text", "answer": "octets", "request": "octets"}
_NAMES: Final = {"code": "answer_code"}

_RECIPE: Final = """<bucket>
<row>
<id of the confirmation, as a UUID>
<time in UTC, as above>
<hash of the row before>
<length of kind>:<kind>
<length of body>:"""


class Field(NamedTuple):
    """One line of an entry."""

    label: str
    value: str
    style: str = ""


def pieces(text: Any) -> Iterator[tuple[bool, str]]:
    """A text of others cut into what is printed as it stands, and hidden signs by their code (True)."""
    for hidden, signs in groupby(str(text), _is_hidden):
        if hidden:
            yield from ((True, f"U+{ord(sign):04X}") for sign in signs)
        else:
            yield False, "".join(signs)


def _is_hidden(sign: str) -> bool:
    if sign in _PLAIN:
        return False
    return sign in _BLANK or unicodedata.category(sign) in _HIDDEN or "\U000e0100" <= sign <= "\U000e01ef"


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["pieces"] = pieces
    return environment.get_template("evidence.html.j2")


def page(
    dossier: Dossier,
    *,
    says: Sequence[Mapping[str, Any] | None],
    whole: bool,
    zone: ZoneInfo,
    language: str,
) -> str:
    """The page. `says` are the bodies of its entries, masked as the reader may see them."""
    words = LANGUAGES[language]
    writer = _Writer(words, zone)
    chain = dossier.chain
    return _template().render(
        w=words,
        language=language,
        id=ids.public(Kind.CONFIRMATION, dossier.confirmation_id),
        made_at=writer.moment(dossier.made_at),
        summary=list(writer.summary(dossier.testimonies, says)),
        intact=dossier.intact,
        verdict=list(writer.verdict(dossier)),
        zone=words["zone"].format(zone=zone.key),
        masked=not whole,
        entries=[
            writer.entry(each, said, whole) for each, said in zip(dossier.testimonies, says, strict=True)
        ],
        recipe=f"{DOMAIN}\n{_RECIPE}",
        then=words["verify.then"].format(
            bucket=chain.bucket,
            n=chain.head.n if chain.head else "?",
            hash=chain.head.hash.hex() if chain.head else "?",
        ),
    )


class _Writer:
    """Puts entries into words, for one reader."""

    def __init__(self, words: Words, zone: ZoneInfo) -> None:
        self._words = words
        self._zone = zone

    def moment(self, at: datetime | str | None) -> str:
        """In the reader's zone, to the millisecond, with its offset."""
        if isinstance(at, str):
            at = datetime.fromisoformat(at)
        try:
            return at.astimezone(self._zone).isoformat(" ", "milliseconds") if at else "?"
        except OverflowError:  # the first or last day of the calendar, in another zone
            return instant(at) if at else "?"

    def summary(
        self, testimonies: Sequence[Attested], says: Sequence[Mapping[str, Any] | None]
    ) -> Iterator[tuple[str, str]]:
        """What it is about, in five lines."""
        known = [(each.entry.kind, said) for each, said in zip(testimonies, says, strict=True) if said]
        offer = next((said for kind, said in known if kind == "offered"), None)
        if offer is not None:
            yield self._words["customer"], offer["to"]
            for name in ("name", "price", "period"):
                yield self._words["service" if name == "name" else name], offer["service"][name]
        status = [said["status"] for kind, said in known if kind == "became"]
        if status:
            yield self._words["status"], self._known(status[-1])

    def verdict(self, dossier: Dossier) -> Iterator[str]:
        """Whether what follows can be relied on."""
        if dossier.intact:
            yield self._words["intact"].format(rows=dossier.chain.rows)
        else:
            yield self._words["doubted"]
            for each in dossier.doubts:
                yield self._words["doubt"].format(
                    first=each.n, last=each.last, what=self._words[f"what.{each.what}"], cause=each.cause
                )
        if dossier.elsewhere:
            yield self._words["elsewhere"].format(count=dossier.elsewhere)
        if dossier.chain.seal is not None:
            yield self._words["sealed"].format(before=self.moment(dossier.chain.seal.before)[:10])

    def entry(self, testimony: Attested, says: Mapping[str, Any] | None, whole: bool) -> dict[str, Any]:
        """One entry as the template takes it."""
        entry = testimony.entry
        columns, rows = self._table(entry.kind, says or {})
        return {
            "n": entry.n,
            "at": self.moment(entry.at),
            "utc": instant(entry.at) if entry.at else "?",
            "kind": entry.kind,
            "title": self._words.get(f"kind.{entry.kind}", entry.kind),
            "findings": [self._finding(each) for each in testimony.findings],
            "fields": list(
                self._fields(entry.kind, says) if says is not None else self._raw(entry.body, whole)
            ),
            "columns": columns,
            "rows": rows,
            "hash": entry.hash.hex(),
            "previous": entry.previous.hex(),
            "body": entry.body if whole else "",
        }

    def _finding(self, finding: Finding) -> str:
        return self._words["finding"].format(what=self._words[f"what.{finding.what}"], cause=finding.cause)

    def _known(self, value: str) -> str:
        """A word of ours in the reader's language; any other as it stands."""
        return self._words.get(f"value.{value}", str(value))

    def _raw(self, body: str, whole: bool) -> Iterator[Field]:
        yield Field(self._words["unknown"], body if whole else self._words["withheld"], "octets")

    def _fields(self, kind: str, says: Mapping[str, Any]) -> Iterator[Field]:
        for name, value in says.items():
            if name == "service":
                yield Field(self._words["service"], value["name"])
                for each in ("code", "price", "period"):
                    yield Field(self._words[each], value[each])
            elif name not in _SKIPPED and (text := self._value(kind, name, value, says)) is not None:
                yield Field(self._words[_NAMES.get(name, name)], text, _STYLES.get(name, ""))

    def _value(self, kind: str, name: str, value: Any, says: Mapping[str, Any]) -> str | None:
        """What is printed of a field; None: nothing."""
        match name:
            case "expires_at" | "received_at":
                return self.moment(value)
            case "text" | "answer" | "request":
                return self._words["withheld"] if value is None else _flat(value)
            case "complete":
                return None if value else "!"
            case "by" if value is None:
                return self._words["rules"] if kind == "understood" else None
            case "reading" | "status" | "before" | "outcome" if value is not None:
                return self._known(value)
            case "purpose":
                return self._words.get(f"purpose.{value}", str(value))
            case "template" if value is not None and says.get("version"):
                return f"{value}, {says['version']}"
        return None if value is None else _flat(value)

    def _table(self, kind: str, says: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
        """The short messages behind a text, ours or the customer's."""
        parts = says.get("parts") or []
        if kind == "replied":
            names = ["received_at", "part", "route", "coding", "octets"]
            rows = [
                [
                    self.moment(part["received_at"]),
                    f"{part['number']}/{part['total']}",
                    part["route"],
                    str(part["data_coding"]),
                    self._words["withheld"] if part["payload"] is None else part["payload"],
                ]
                for part in parts
            ]
        else:
            names = ["at", "step", "part", "route", "smsc_id", "receipt"]
            rows = [
                [
                    self.moment(part["at"]),
                    ", ".join(self._known(part[name]) for name in ("what", "reason") if part[name]),
                    str(part["segment"] or ""),
                    part["route"] or "",
                    part["smsc_id"] or "",
                    part["receipt"] or "",
                ]
                for part in parts
            ]
        return [self._words[name] for name in names], rows


def _flat(value: Any) -> str:
    return canonical(value) if isinstance(value, dict | list) else str(value)
