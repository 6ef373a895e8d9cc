"""Profiles of SMSCs: rules/smsc/NAME.yaml beside the configuration, else the shipped one of that name."""

import difflib
import enum
import typing
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from gateway.config.read import Origins, Place, Reader, WrongError, bare, duration, name_of, shown
from gateway.config.schema import Settings
from gateway.config.yaml import YamlError, read_yaml_places
from gateway.esme.profile import Parameters, Profile, Ruling, Rulings, read_zone, tag_names, tag_of
from gateway.smpp import status
from gateway.smpp.constants import Tag
from gateway.smpp.receipt import State
from gateway.smpp.status import Verdict

SHIPPED: Final = Path(__file__).resolve().parent.parent.parent / "rules" / "smsc"

#: Set by what they number or carry, message by message.
OURS: Final = frozenset(
    {Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM, Tag.MESSAGE_PAYLOAD}
)
#: How a parameter's value is written: its key, and its octets; 0 is as many as there are.
FORMS: Final = {"int8": 1, "int16": 2, "int32": 4, "text": 0, "hex": 0}


#: All names of statuses are alike; a wrong guess would be believed.
_ALMOST: Final = 0.87

#: Tables of tables that one's own entries are added to.
_OPEN: Final = {"receipts": "words", "mo": "prefixes"}


class Profiles:
    """The profiles that can be had, each read when it is asked for. `faults` is all that was found wrong."""

    def __init__(self, own: Path, shipped: Path = SHIPPED) -> None:
        """`own` is a folder that need not be there; a file in it comes before the shipped one of its name."""
        self._folders = (_files(own), _files(shipped))
        self._raw: dict[Path, dict[str, Any]] = {}
        self._origins: dict[Path, Origins] = {}
        self._read: dict[str, Profile] = {}
        self.faults: list[str] = []

    def names(self) -> list[str]:
        """All that there are."""
        own, shipped = self._folders
        return sorted({*own, *shipped})

    def path(self, name: str) -> Path | None:
        """The file of this name, one's own first; None: there is none."""
        own, shipped = self._folders
        return own.get(name) or shipped.get(name)

    def get(self, name: str) -> Profile | None:
        """The profile of this name; None: there is none. What is wrong with it is noted."""
        if name not in self._read:
            own, shipped = self._folders
            if (path := own.get(name) or shipped.get(name)) is None:
                return None
            written = self._extended(name, path, ())
            profile = typing.cast(Profile, _Reader(path.parent, {(): str(path)}).table(Profile, written, ()))
            self._read[name] = msgspec.structs.replace(profile, name=name)
            if not self._faulty(path):
                for place, told in _judge(self._read[name]):
                    self._fault(path, place, told)
        return self._read[name]

    def read_own(self) -> None:
        """Read every file of the own folder, whether it is used or not, for its faults."""
        for name in self._folders[0]:
            self.get(name)

    def _faulty(self, path: Path) -> bool:
        return any(fault.startswith(f"{path}:") for fault in self.faults)

    def _extended(self, name: str, path: Path, through: tuple[Path, ...]) -> dict[str, Any]:
        """What a file says over what the one says that it extends: key by key in each of its tables."""
        written = self._written(path)
        base_name = written.get("extends")
        mine = {key: value for key, value in written.items() if key != "extends"}
        if not isinstance(base_name, str):
            return mine
        own, shipped = self._folders
        # A file of one's own may extend the shipped one of the same name.
        base = shipped.get(base_name) if base_name == name else own.get(base_name) or shipped.get(base_name)
        if base is None:
            others = [each for each in self.names() if each != name]
            near = difflib.get_close_matches(base_name, others, 1, 0.5)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(others)}"
            which = "shipped profile" if base_name == name else "profile"
            self._fault(path, ("extends",), f"there is no {which} {base_name}; {hint}")
            return mine
        if base == path or base in through:
            self._fault(path, ("extends",), f"{base_name} leads back to where it began")
            return mine
        merged = dict(self._extended(base_name, base, (*through, path)))
        for key, value in mine.items():
            merged[key] = _over(merged.get(key), value, within=_OPEN.get(key, ""))
        return merged

    def _fault(self, path: Path, place: Place, sentence: str) -> None:
        at = place
        while at and at not in self._origins[path]:
            at = at[:-1]
        told = f"{self._origins[path].get(at, path)}: {name_of(place)}: {sentence}"
        if told not in self.faults:
            self.faults.append(told)

    def _written(self, path: Path) -> dict[str, Any]:
        """What a file says, its keys in one form. Its faults are noted when it is first read."""
        if path not in self._raw:
            self._raw[path], self._origins[path] = {}, {}
            try:
                value, origins = read_yaml_places(path)
                self._origins[path] = origins
            except YamlError as fault:
                self.faults.append(str(fault))
                return {}
            reader = _Reader(path.parent, {(): str(path)} | origins)
            if value is not None and not isinstance(value, dict):
                reader.faults.append(f"{path}: expected a profile: receipts, text, statuses …")
                value = None
            value = value or {}
            reader.table(Profile, {key: item for key, item in value.items() if key != "extends"}, ())
            if "name" in value:
                reader.fault(("name",), "a profile has the name of its file")
            if not isinstance(value.get("extends", ""), str):
                reader.fault(("extends",), "expected the name of another profile")
            self.faults += reader.faults
            self._raw[path] = _canonical(value)
        return self._raw[path]


def profiles_of(settings: Settings) -> Profiles:
    """The profiles that a configuration can name."""
    return Profiles(settings.path("rules") / "smsc")


def judge_profiles(settings: Settings, profiles: Profiles) -> Iterator[tuple[Place, str]]:
    """Routes whose profile is not there. What is wrong with the files is in `profiles.faults`."""
    profiles.read_own()
    for name, smsc in settings.smsc.items():
        if profiles.get(smsc.profile) is None:
            near = difflib.get_close_matches(smsc.profile, profiles.names(), 1, 0.5)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(profiles.names())}"
            yield ("smsc", name, "profile"), f'there is no profile "{smsc.profile}"; {hint}'


def _over(below: Any, value: Any, *, within: str) -> Any:
    """A setting over the one that it replaces: a table key by key, and the table `within` it likewise."""
    if not isinstance(below, dict) or not isinstance(value, dict):
        return value
    both = {**below, **value}
    if within in below and within in value:
        both[within] = _over(below[within], value[within], within="")
    return both


def _files(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in sorted(folder.glob("*.y*ml"))} if folder.is_dir() else {}


def _canonical(value: dict[str, Any]) -> dict[str, Any]:
    """With one spelling for each status and parameter, so that what extends replaces it."""
    whole = dict(value)
    for key, number_of in (("statuses", status.code_of), ("tlvs", tag_of)):
        if isinstance(table := whole.get(key), dict):
            whole[key] = {
                word if (number := number_of(word)) is None else f"0x{number:04X}": item
                for word, item in table.items()
            }
    return whole


def _judge(profile: Profile) -> Iterator[tuple[Place, str]]:
    """What no single value shows."""
    if profile.destination.form == "national" and not profile.destination.country:
        yield ("destination", "country"), "is missing: which country's numbers go without their code?"
    try:
        profile.text.cutting()
    except ValueError as error:
        yield ("text",), str(error)
    receipts = profile.receipts
    if receipts.ask == "last-sent" and receipts.parts != "each":
        last_sent = "last" if profile.order == "first-first" else "first"
        if receipts.parts != last_sent:
            yield (
                ("receipts", "ask"),
                f"only the {last_sent} part is asked for, and only the {receipts.parts} one is reported",
            )


class _Reader(Reader):
    """Reads what profiles have besides plain settings: states, verdicts, statuses, parameters."""

    def __init__(self, home: Path, origins: Origins) -> None:
        super().__init__(home, origins, frozenset())

    def value(self, kind: Any, raw: Any, place: Place) -> Any:
        plain = bare(kind)
        if plain == Rulings:
            return self._rulings(raw, place)
        if plain == Parameters:
            return self._parameters(raw, place)
        if plain == dict[str, State]:
            return self._words(raw, place)
        if plain == tuple[timedelta, ...]:
            return self._pauses(raw, place)
        if isinstance(plain, type) and issubclass(plain, enum.Enum):
            return _one_of(plain, raw)
        if place == ("refuse_with",):
            return self._code(raw)
        if place == ("bind", "version") and isinstance(raw, float):
            raw = str(raw)  # 3.4 without quotes
        try:
            value = super().value(kind, raw, place)
        except WrongError as wrong:
            words = typing.get_args(plain) if typing.get_origin(plain) is typing.Literal else ()
            raise WrongError(f"{wrong}{_nearest(raw, words)}", wrong.at) from None
        if place == ("zone",):
            try:
                read_zone(value)
            except ValueError as error:
                raise WrongError(str(error)) from None
        return value

    @staticmethod
    def _code(raw: Any) -> int:
        code = status.code_of(str(raw))
        if code is None or not code:
            raise WrongError(
                f"expected a command_status such as ESME_RSYSERR or 0x08, not {shown(raw)}"
                + _nearest(str(raw).upper(), status.names(), _ALMOST)
            )
        return code

    def _rulings(self, raw: Any, place: Place) -> Rulings:
        if not isinstance(raw, dict):
            raise WrongError("expected a table, as {0x0401: recipient}")
        rulings: Rulings = {}
        for key, item in raw.items():
            here = (*place, key)
            code = status.code_of(key)
            if code is None or not code:
                told = _nearest(key.upper(), status.names(), _ALMOST)
                self.fault(here, f"no command_status; write its name, or its number as 0x0401{told}")
                continue
            if code in rulings:
                self.fault(here, "stands here twice, by name and by number")
            written = item if isinstance(item, dict) else {"verdict": item}
            self._origins.setdefault((*here, "verdict"), self._origin(here))
            ruling = self.table(Ruling, written, here)
            if ruling is None:
                continue
            if ruling.pauses is not None and ruling.verdict is not Verdict.TEMPORARY:
                self.fault((*here, "pauses"), "only what is temporary is tried again after pauses")
            if ruling.verdict is Verdict.OK:
                self.fault(
                    (*here, "verdict"), "a refusal can't be a success: nobody would know the message's id"
                )
            rulings[code] = ruling
        return rulings

    def _parameters(self, raw: Any, place: Place) -> Parameters:
        if not isinstance(raw, dict):
            raise WrongError('expected a table, as {0x1403: {text: "A7"}}')
        parameters: Parameters = {}
        for key, item in raw.items():
            here = (*place, key)
            tag = tag_of(key)
            if tag is None:
                told = _nearest(key.lower(), tag_names())
                self.fault(here, f"no parameter; write its name, or its tag as 0x1403{told}")
            elif tag in OURS:
                self.fault(here, "is set for each part by itself; see text.join")
            elif tag in parameters:
                self.fault(here, "stands here twice, by name and by tag")
            else:
                try:
                    parameters[tag] = _octets(item)
                except WrongError as wrong:
                    self.fault(here, str(wrong))
        return parameters

    def _words(self, raw: Any, place: Place) -> dict[str, State]:
        if not isinstance(raw, dict):
            raise WrongError('expected a table, as {"MK:*": UNDELIVERABLE}')
        words = {}
        for key, item in raw.items():
            here = (*place, key)
            if not key or "*" in key[:-1]:
                self.fault(here, "a word, or the beginning of one with * at its end")
                continue
            try:
                words[key.upper()] = _one_of(State, item)
            except WrongError as wrong:
                self.fault(here, str(wrong))
        return words

    def _pauses(self, raw: Any, place: Place) -> tuple[timedelta, ...]:
        if not isinstance(raw, list) or not raw:
            raise WrongError(f"expected a list of durations, as [1m, 10m, 1h], not {shown(raw)}")
        pauses = []
        for at, item in enumerate(raw):
            try:
                pauses.append(duration(str(item)))
            except WrongError as wrong:
                self.fault((*place[:-1], f"{place[-1]}[{at}]"), str(wrong))
        return tuple(pauses)


def _one_of(kind: type[enum.Enum], raw: Any) -> Any:
    by_word: Mapping[str, enum.Enum] = {str(member.value).lower(): member for member in kind}
    if (found := by_word.get(str(raw).lower())) is None:
        words = [str(member.value) for member in kind]
        spelt = str(raw).upper() if words[0].isupper() else str(raw).lower()
        raise WrongError(f"expected one of {', '.join(words)}, not {shown(raw)}{_nearest(spelt, words)}")
    return found


def _nearest(raw: Any, words: typing.Iterable[str], cutoff: float = 0.6) -> str:
    near = difflib.get_close_matches(str(raw), list(words), 1, cutoff)
    return f"; did you mean {near[0]}?" if near else ""


def _octets(item: Any) -> bytes:
    """The value of a parameter, as {int16: 5}, {text: A7} or {hex: 0a0b}."""
    if not isinstance(item, dict) or len(item) != 1 or next(iter(item)) not in FORMS:
        raise WrongError('expected one of {int8: 1}, {int16: 1}, {int32: 1}, {text: "A7"}, {hex: "0a0b"}')
    ((form, value),) = item.items()
    if size := FORMS[form]:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 8 * size:
            raise WrongError(f"expected {form} from 0 to {(1 << 8 * size) - 1}, not {shown(value)}")
        return value.to_bytes(size, "big")
    if not isinstance(value, str) or len(value) > 1024:
        raise WrongError(f"expected a text in quotes, of at most 1024 characters, not {shown(value)}")
    try:
        return bytes.fromhex(value) if form == "hex" else value.encode("latin-1")
    except ValueError:
        told = "hex digits, two an octet" if form == "hex" else "characters of Latin-1; write others in hex"
        raise WrongError(f"expected {told}, not {shown(value)}") from None
