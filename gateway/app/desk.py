"""What is read from files at the start and again when they change: templates and rules."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from gateway.config import Settings, read_files
from gateway.domain.rulebook import Rules
from gateway.domain.template import Catalogue


class FaultyFilesError(Exception):
    """Templates or rules can't be used. `faults` names each with its file and line."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Desk:
    """The texts and rules in force. A faulty new version changes nothing."""

    def __init__(self, settings: Settings, adjust: Callable[[Rules], Rules] = lambda rules: rules) -> None:
        self._settings = settings
        self._adjust = adjust
        self.catalogue: Catalogue = Catalogue({})
        self.rules = Rules()
        self.reload()

    def reload(self) -> None:
        """Read everything anew. Raises `FaultyFilesError`, and then all stays as it was."""
        files = read_files(self._settings)
        if files.faults:
            raise FaultyFilesError(list(files.faults))
        shared = frozenset(
            sender.number for sender in self._settings.senders.values() if not sender.extensions
        )
        self.catalogue = files.catalogue
        self.rules = self._adjust(
            Rules(
                surveys=files.surveys,
                replies=files.replies,
                menus=files.menus,
                confirmations=files.confirmations,
                keywords=files.keywords,
                zone=ZoneInfo(self._settings.regions.time_zone),
                access_numbers=shared,
            )
        )
