"""Endpoints that other systems registered to hear of events."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from gateway.domain.webhook import Endpoint
from gateway.storage.database import Connection

INSERT: Final = """
INSERT INTO webhooks (id, url, events, secrets, created_at) VALUES ($1, $2, $3, $4, $5)"""


async def insert(connection: Connection, endpoint: Endpoint) -> None:
    """Register it."""
    await connection.execute(
        INSERT, endpoint.id, endpoint.url, endpoint.events, endpoint.secrets, endpoint.created_at
    )


ALIVE: Final = """
SELECT id, url, events, secrets, created_at FROM webhooks WHERE removed_at IS NULL ORDER BY id"""


async def alive(connection: Connection) -> list[Endpoint]:
    """All that are registered now, oldest first."""
    return _endpoints(await connection.fetch(ALIVE))


REMOVE: Final = """
UPDATE webhooks SET removed_at = $2, secrets = '{}' WHERE id = $1 AND removed_at IS NULL RETURNING id"""


async def remove(connection: Connection, endpoint_id: UUID, now: datetime) -> bool:
    """Take it off the list; its secrets are forgotten. False: it is not on it."""
    return await connection.fetchval(REMOVE, endpoint_id, now) is not None


# The newest first. Those of before stay until the rotation ends: the receiver may still verify with them.
ROTATE: Final = """
UPDATE webhooks SET secrets = ARRAY[$2] || secrets
 WHERE id = $1 AND removed_at IS NULL AND cardinality(secrets) < $3
RETURNING id"""

KNOWN: Final = "SELECT TRUE FROM webhooks WHERE id = $1 AND removed_at IS NULL"

END_ROTATION: Final = """
UPDATE webhooks SET secrets = secrets[1:1] WHERE id = $1 AND removed_at IS NULL RETURNING id"""


async def rotate(connection: Connection, endpoint_id: UUID, secret: str, most: int) -> bool:
    """Sign with this secret too from now on. False: `most` sign already, or there is no such endpoint."""
    return await connection.fetchval(ROTATE, endpoint_id, secret, most) is not None


async def known(connection: Connection, endpoint_id: UUID) -> bool:
    """Whether it is registered now."""
    return await connection.fetchval(KNOWN, endpoint_id) is not None


async def end_rotation(connection: Connection, endpoint_id: UUID) -> bool:
    """Sign with the newest secret alone. False: there is no such endpoint."""
    return await connection.fetchval(END_ROTATION, endpoint_id) is not None


def _endpoints(rows: Sequence[Any]) -> list[Endpoint]:
    return [
        Endpoint(
            id=row["id"],
            url=row["url"],
            events=tuple(row["events"]),
            secrets=tuple(row["secrets"]),
            created_at=row["created_at"],
        )
        for row in rows
    ]
