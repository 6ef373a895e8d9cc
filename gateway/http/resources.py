"""All routes of the API in one table: what is here is served, and described in the OpenAPI document."""

from functools import cache
from typing import Any, Final

from gateway.http import (
    callbacks,
    confirmations,
    contacts,
    inbox,
    messages,
    reports,
    resolutions,
    subscriptions,
    surveys,
    system,
    ways,
    webhooks,
)
from gateway.http.exchange import JSON, Answer, Request
from gateway.http.openapi import document
from gateway.http.ports import Services
from gateway.http.routes import Gives, Route


@cache
def openapi() -> bytes:
    """The OpenAPI document of everything that is served."""
    return document(ROUTES, system.release())


async def _openapi(_request: Request, _services: Services) -> Answer:
    """GET /openapi.json"""
    return Answer(200, openapi(), JSON)


ROUTES: Final[tuple[Route, ...]] = (
    *resolutions.ROUTES,
    *surveys.ROUTES,
    *confirmations.ROUTES,
    *messages.ROUTES,
    *subscriptions.ROUTES,
    *contacts.ROUTES,
    *inbox.ROUTES,
    *callbacks.ROUTES,
    *webhooks.ROUTES,
    *reports.ROUTES,
    *ways.ROUTES,
    *system.ROUTES,
    Route(
        method="GET",
        path="/openapi.json",
        name="openapi",
        handler=_openapi,
        told="This document",
        gives={200: Gives("OpenAPI 3.1", dict[str, Any])},
    ),
)
