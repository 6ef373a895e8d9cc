"""The door: a key in `Authorization`, the scope of the route, and the key's rate."""

import math
from typing import Final

from gateway.http.exchange import Answer
from gateway.http.problem import MISSING_SCOPE, RATE_EXCEEDED, UNAUTHORIZED, problem
from gateway.services.keys import Key, KeyRing, Scope

_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="huiyin"'}
_NO_KEY: Final = problem(
    UNAUTHORIZED, "Send `Authorization: Bearer <api key>`; `huiyin key create` makes one.", headers=_CHALLENGE
)
_WRONG_KEY: Final = problem(
    UNAUTHORIZED,
    "This API key is not known, or was revoked.",
    headers={"WWW-Authenticate": 'Bearer realm="huiyin", error="invalid_token"'},
)


async def admit(ring: KeyRing, authorization: str | None, scope: Scope) -> Key | Answer:
    """The caller's key, or why the door stays shut: 401, 403 or 429. Raises `StorageUnavailable`."""
    if authorization is None:
        return _NO_KEY
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        return _NO_KEY
    key = await ring.find(token.strip())
    if key is None:
        return _WRONG_KEY
    if not key.may(scope):
        return problem(
            MISSING_SCOPE, f"This needs the scope {scope.value!r}, which the key {key.name!r} does not have."
        )
    if key.rate is not None and (wait := ring.take(key)):
        return problem(
            RATE_EXCEEDED,
            f"This key may make {key.rate} requests a second. Wait, or ask for a higher rate.",
            headers={"Retry-After": str(math.ceil(wait))},
        )
    return key
