"""What is read from files at the start and again when they change: templates and rules."""

from collections.abc import Callable
from typing import NamedTuple
from zoneinfo import ZoneInfo

from gateway.config import Settings, read_files
from gateway.domain.rulebook import Rules
from gateway.domain.template import Catalogue


class FaultyFilesError(Exception):
    """Templates or rules can't be used. `faults` names each with its file and line."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Papers(NamedTuple):
    """Texts and rules as read together."""

    catalogue: Catalogue
    rules: Rules


class Desk:
    """The texts and rules in force. A faulty new version changes nothing."""

    def __init__(self, settings: Settings, adjust: Callable[[Rules], Rules] = lambda rules: rules) -> None:
        self._settings = settings
        self._adjust = adjust
        self.catalogue: Catalogue = Catalogue({})
        self.rules = Rules()
        self.use(self.read())

    def use(self, papers: Papers) -> None:
        """These are in force from now on."""
        self.catalogue, self.rules = papers

    def read(self) -> Papers:
        """Read everything anew; nothing changes yet. Raises `FaultyFilesError`."""
        files = read_files(self._settings)
        if files.faults:
            raise FaultyFilesError(list(files.faults))
        shared = frozenset(
            sender.number for sender in self._settings.senders.values() if not sender.extensions
        )
        rules = self._adjust(
            Rules(
                surveys=files.surveys,
                replies=files.replies,
                cases=files.cases,
                menus=files.menus,
                confirmations=files.confirmations,
                keywords=files.keywords,
                zone=ZoneInfo(self._settings.regions.time_zone),
                access_numbers=shared,
            )
        )
        return Papers(files.catalogue, rules)
