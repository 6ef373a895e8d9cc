"""`/v1/resolutions`: the ticket system's call, which tells the customer and asks for a score."""

from typing import Final

from gateway.domain.request import Accepted, ResolutionRequest
from gateway.http import intake
from gateway.http.exchange import Answer, Request
from gateway.http.ports import Services
from gateway.http.routes import Gives, Route
from gateway.services.keys import Scope


async def resolve(request: Request, services: Services) -> Answer:
    """POST /v1/resolutions"""
    outcome = await services.intake.resolution(request.payload, request.caller, request.once(intake.render))
    return intake.answer(outcome)


ROUTES: Final = (
    Route(
        method="POST",
        path="/v1/resolutions",
        name="sendResolution",
        handler=resolve,
        told="A complaint was resolved: tell the customer, and ask for a score",
        more='`"survey": false` sends without asking. The same ticket may be resolved twice: each resolution '
        "has its survey, and the open one of before is superseded. The score comes back through the "
        "connector `ticket.satisfaction` and the event `survey.answered`.",
        scope=Scope.TICKETS_WRITE,
        takes=ResolutionRequest,
        creates=True,
        gives={202: Gives("Durably stored, the survey with it", Accepted)},
    ),
)
