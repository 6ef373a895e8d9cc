"""The outbox: who is to be told of what, and the rows of `callbacks` that an event makes."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from gateway.domain.connector import Connector
from gateway.domain.event import Call, Callback, CallbackKind, CallbackStatus, Event
from gateway.domain.ids import IdSource, Kind, public
from gateway.domain.webhook import Endpoint


class Outbox:
    """Who is to be told of what, as registered and configured now; no input, no output."""

    def __init__(self, ids: IdSource, connectors: Mapping[str, Connector] | None = None) -> None:
        self._ids = ids
        self.connectors: dict[str, Connector] = dict(connectors or {})
        self.endpoints: dict[str, Endpoint] = {}
        self.endpoints_read_at: datetime | None = None
        self._subscribed: dict[str, tuple[str, ...]] = {}

    def configure(self, connectors: Mapping[str, Connector]) -> None:
        """From now on, these connectors."""
        self.connectors = dict(connectors)

    def register(self, endpoints: Iterable[Endpoint], read_at: datetime) -> None:
        """From now on, these endpoints, as they stood in the table at `read_at`."""
        self.endpoints = {endpoint.name: endpoint for endpoint in endpoints}
        self.endpoints_read_at = read_at
        self._subscribed.clear()

    def has(self, connector: str) -> bool:
        """Whether a connector of this name is configured."""
        return connector in self.connectors

    def wants(self, event_type: str) -> bool:
        """Whether anybody hears of events of this type, or a connector of this name is configured."""
        return event_type in self.connectors or bool(self._listeners(event_type))

    def rows(self, events: Iterable[Event | Call], now: datetime) -> list[Callback]:
        """What is owed because of these: a row for each endpoint that listens or connector that is meant."""
        rows: list[Callback] = []
        for event in events:
            if isinstance(event, Call):
                if event.connector in self.connectors:
                    row = self._row(event, event.connector, msgspec.to_builtins(event.data), now)
                    rows.append(row)
            elif listeners := self._listeners(event.type):
                payload = self._told(event, now)
                rows += [self._row(event, name, payload, now) for name in listeners]
        if len(rows) > 1:  # what happened in this order is told in this order
            rows = [
                row._replace(created_at=now + timedelta(microseconds=place)) for place, row in enumerate(rows)
            ]
        return rows

    def _told(self, event: Event, now: datetime) -> dict[str, Any]:
        """What endpoints get to read."""
        return {
            "id": public(Kind.EVENT, self._ids.new(event.bucket, now.timestamp())),
            "type": event.type,
            "timestamp": event.at.isoformat(),
            "data": msgspec.to_builtins(event.data),
        }

    def _row(self, event: Event | Call, target: str, payload: dict[str, Any], now: datetime) -> Callback:
        return Callback(
            bucket=event.bucket,
            id=self._ids.new(event.bucket, now.timestamp()),
            kind=CallbackKind.CONNECTOR if isinstance(event, Call) else CallbackKind.WEBHOOK,
            target=target,
            event=target if isinstance(event, Call) else event.type,
            subject=event.subject,
            payload=payload,
            created_at=now,
            status=CallbackStatus.WAITING,
            tries=0,
            due_at=now,
        )

    def _listeners(self, event_type: str) -> tuple[str, ...]:
        found = self._subscribed.get(event_type)
        if found is None:
            found = tuple(name for name, endpoint in self.endpoints.items() if endpoint.wants(event_type))
            self._subscribed[event_type] = found
        return found
