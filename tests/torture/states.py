"""What the gateway itself says at the end, asked for over its public interface."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from tests.torture.gateway import Gateway

PAGE: Final = 200
AT_ONCE: Final = 8


@dataclass(slots=True)
class States:
    """Everything that can be asked."""

    messages: dict[str, dict[str, Any]] = field(default_factory=dict)  #: by id, as listed
    details: dict[str, dict[str, Any]] = field(default_factory=dict)  #: by id, with history, where asked for
    surveys: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  #: by ticket, with replies
    inbox: list[tuple[str, str]] = field(default_factory=list)  #: customer and text
    pieces: list[tuple[str, str]] = field(default_factory=list)  #: of the inbox what is shown as incomplete
    parked: int = 0


class Asking:
    """Reads lists to their end and details a few at a time."""

    def __init__(self, gateway: Gateway, session: aiohttp.ClientSession) -> None:
        self._gateway = gateway
        self._session = session
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def get(self, path: str, **query: str) -> Any:
        headers = {"Authorization": f"Bearer {self._gateway.key}"}
        async with (
            self._turn,
            self._session.get(f"{self._gateway.base}{path}", params=query, headers=headers) as answer,
        ):
            return None if answer.status == 404 else await answer.json()

    async def all_of(self, path: str, **query: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = await self.get(path, limit=str(PAGE), **cursor, **query)
            rows += page["data"]
            if page["next_cursor"] is None:
                return rows
            cursor = {"cursor": page["next_cursor"]}

    async def details(self, states: States, ids: Iterable[str]) -> None:
        """Histories of these messages."""
        wanted = [each for each in dict.fromkeys(ids) if each not in states.details]
        for uid, found in zip(
            wanted, await asyncio.gather(*(self.get(f"/v1/messages/{each}") for each in wanted)), strict=True
        ):
            if found is not None:
                states.details[uid] = found

    async def surveys(self, states: States) -> None:
        rows = await self.all_of("/v1/surveys")
        found = await asyncio.gather(*(self.get(f"/v1/surveys/{row['id']}") for row in rows))
        for each in found:
            states.surveys.setdefault(each["ticket"], []).append(each)

    async def everything(self) -> States:
        """All lists; details are asked for where the checker needs them."""
        states = States()
        for row in await self.all_of("/v1/messages"):
            states.messages[row["id"]] = row
        await self.surveys(states)
        inbox = await self.all_of("/v1/inbox")
        states.inbox = [(row["to"], row["text"]) for row in inbox]
        states.pieces = [(row["to"], row["text"]) for row in inbox if not row["complete"]]
        states.parked = len(await self.all_of("/v1/callbacks", status="parked"))
        return states
