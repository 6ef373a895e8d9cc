"""The stand-in service platform: which number has which service, and how often each was really activated."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

KEPT: Final = 10_000  #: numbers


class Held(msgspec.Struct, kw_only=True):
    """One service of one number."""

    code: str
    status: str  #: active, cancelled
    activations: int = 0  #: applied; a call that is repeated under its key is not applied again
    cancellations: int = 0
    confirmation: str | None = None  #: of the last activation


class Platform:
    """Services by number. Who keeps keys is in front: here each call is applied."""

    def __init__(self) -> None:
        self.numbers: dict[str, dict[str, Held]] = {}

    def apply(self, msisdn: str, code: str, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Activate or cancel: status and answer. What was cancelled already stays so."""
        action = body.get("action", "activate")
        if action not in ("activate", "cancel"):
            return 422, {"error": "action is activate or cancel"}
        services = self.numbers.setdefault(msisdn, {})
        if len(self.numbers) > KEPT:
            del self.numbers[next(iter(self.numbers))]
        held = services.setdefault(code, Held(code=code, status="cancelled"))
        if action == "activate":
            held.status = "active"
            held.activations += 1
            held.confirmation = str(body["confirmation"]) if body.get("confirmation") else None
        else:
            held.status = "cancelled"
            held.cancellations += 1
        return 200, {"order": f"{msisdn}-{code}-{held.activations}", "status": held.status}

    def of(self, msisdn: str) -> dict[str, Any]:
        """All services that a number has or had."""
        return {"data": [msgspec.to_builtins(held) for held in self.numbers.get(msisdn, {}).values()]}
