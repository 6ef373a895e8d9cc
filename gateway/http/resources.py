"""All routes of the API in one table: what is here is served, and described in the OpenAPI document."""

from typing import Final

from gateway.http import messages, resolutions, surveys, system
from gateway.http.routes import Route

ROUTES: Final[tuple[Route, ...]] = (
    *resolutions.ROUTES,
    *surveys.ROUTES,
    *messages.ROUTES,
    *system.ROUTES,
)
