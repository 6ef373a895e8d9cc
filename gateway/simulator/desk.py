"""The clerks of the stand-in ticket system: every few seconds they resolve a complaint and ask the gateway
to tell the customer."""

import asyncio
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any, Final

import aiohttp

from gateway.simulator.cases import CASES
from gateway.simulator.tickets import Ticket, TicketSystem

log = logging.getLogger(__name__)

PATIENCE: Final = aiohttp.ClientTimeout(total=10)
_FINAL: Final = frozenset({400, 404, 413, 422})  #: the same call again would be answered the same


def sample_numbers(first: int = 13905310001) -> Iterator[str]:
    """Customers' numbers, each once: who was asked lately is not asked again."""
    return (str(number) for number in count(first))


class Desk:
    """Resolves complaints through `POST /v1/resolutions`."""

    def __init__(
        self,
        system: TicketSystem,
        gateway_url: str,
        api_key: str,
        *,
        seed: int = 1,
        numbers: Iterator[str] | None = None,
    ) -> None:
        self._system = system
        self._url = gateway_url.rstrip("/") + "/v1/resolutions"
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self._numbers = numbers or sample_numbers()
        self._random = Random(f"{seed}:desk")  # noqa: S311 - repeatable by design
        self._pile: list[int] = []

    def receive(self) -> Ticket:
        """A complaint comes in. All cases have their turn before one comes again."""
        if not self._pile:
            self._pile = list(range(len(CASES)))
            self._random.shuffle(self._pile)
        case = CASES[self._pile.pop()]
        return self._system.create(
            to=next(self._numbers),
            type=case.type,
            department=case.department,
            handler=case.handler,
            complaint=case.complaint,
            resolution=case.resolution,
        )

    async def resolve(self, session: aiohttp.ClientSession, ticket: Ticket) -> bool:
        """Have the customer told. False: it has to be tried again; what is refused for good is left."""
        headers = self._headers | {"Idempotency-Key": f"resolve-{ticket.id}"}
        ticket.answered_at = ticket.answered_at or datetime.now().astimezone().isoformat(timespec="seconds")
        try:
            async with session.post(self._url, json=_body(ticket), headers=headers) as response:
                answer = await response.json(content_type=None)
                if response.status != 202:
                    log.warning(
                        "resolution not taken", extra={"status": response.status, "ticket": ticket.id}
                    )
                    return False
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            log.warning("gateway not reached", extra={"why": str(error), "ticket": ticket.id})
            return False
        survey = answer.get("survey") if isinstance(answer, dict) else None
        ticket.status = "resolved"
        ticket.survey = survey.get("id") if isinstance(survey, dict) else None
        self._system.changed(ticket)
        return True

    async def run(self, every: float = 4.0, limit: int | None = None) -> None:
        """Resolve a complaint every so many seconds, until cancelled or `limit` are done."""
        done = 0
        async with aiohttp.ClientSession(timeout=PATIENCE) as session:
            while limit is None or done < limit:
                ticket = self.receive()
                await asyncio.sleep(every / 2)
                while True:
                    if await self.resolve(session, ticket):
                        break
                    await asyncio.sleep(every)
                done += 1
                await asyncio.sleep(every / 2)


def _body(ticket: Ticket) -> dict[str, Any]:
    created = datetime.fromisoformat(ticket.created_at)
    return {
        "to": ticket.to,
        "ticket": {
            "id": ticket.id,
            "type": ticket.type,
            "department": ticket.department,
            "handler": ticket.handler,
            "dispatched_at": (created - timedelta(minutes=5)).isoformat(),
            "answered_at": ticket.answered_at,
        },
        "text": ticket.resolution,
        "survey": {"scale": "ten", "expires_in": "72h"},
    }
