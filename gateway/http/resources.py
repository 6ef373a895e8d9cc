"""All routes of the API in one table: what is here is served, and described in the OpenAPI document."""

from typing import Final

from gateway.http import callbacks, inbox, messages, resolutions, surveys, system, webhooks
from gateway.http.routes import Route

ROUTES: Final[tuple[Route, ...]] = (
    *resolutions.ROUTES,
    *surveys.ROUTES,
    *messages.ROUTES,
    *inbox.ROUTES,
    *callbacks.ROUTES,
    *webhooks.ROUTES,
    *system.ROUTES,
)
