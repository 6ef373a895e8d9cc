"""The OpenAPI 3.1 document, made of the route declarations and the types that decode and encode."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from gateway.http.exchange import CSV, HTML, NDJSON
from gateway.http.problem import PROBLEM_JSON, Problem
from gateway.http.routes import ONE_MIB, Route

REF: Final = "#/components/schemas/{name}"

INTRODUCTION: Final = """\
Huiyin (回音) speaks with an operator's customers by SMS and listens to what they answer.

Errors are `application/problem+json` (RFC 9457): `type` is stable, `detail` says what to do, `errors`
points at each bad field. A 2xx is given only when the thing is durably stored. Send an `Idempotency-Key` with
every POST that creates: the same key and body within 48 hours get the first answer again, with
`Idempotency-Replayed: true`. Without the scope `pii:read` numbers are masked; texts, payloads and the
answers of other systems are left out."""

_OF_EVERY: Final = {500: "A fault of ours; it was logged under the request's id"}
_OF_KEYS: Final = {
    401: "No valid API key",
    403: "The key lacks the scope",
    429: "Over the key's rate: wait `Retry-After` seconds",
    503: "Nothing can be stored or read now: wait `Retry-After` seconds",
}
_OF_BODIES: Final = {
    400: "The body is not JSON, or the request is not HTTP",
    408: "The body did not arrive in time",
    413: "The body is too large",
    415: "Not a content type that is read here",
    422: "The request has faults, each with its pointer; or the Idempotency-Key belongs to another body",
}

_REQUEST_ID: Final = {
    "X-Request-Id": {
        "description": "Names this request in logs, events and traces: the caller's own where it was sane",
        "schema": {"type": "string"},
        "required": True,
    }
}
_RETRY_AFTER: Final = {
    "Retry-After": {"description": "Seconds", "schema": {"type": "integer", "minimum": 0}, "required": True}
}
_REPLAYED: Final = {
    "Idempotency-Replayed": {
        "description": "`true`: the first answer to this Idempotency-Key, again",
        "schema": {"type": "string", "const": "true"},
    }
}
_CHALLENGE: Final = {"WWW-Authenticate": {"schema": {"type": "string"}, "required": True}}


def problems_of(route: Route) -> dict[int, str]:
    """Every problem that a route may answer with, by status."""
    told = dict(_OF_EVERY)
    if route.scope is not None:
        told |= _OF_KEYS
    if route.has_body:
        told |= _OF_BODIES
    else:
        told[400] = "The request is not HTTP"
    if "{" in route.path:
        told[404] = "There is no such object"
    told.setdefault(422, "The query has faults, each with its pointer")
    if route.creates:
        told[409] = "The first request with this Idempotency-Key is still running"
    return told | dict(route.problems)


def document(routes: Iterable[Route], version: str) -> bytes:
    """The whole document as JSON."""
    routes = tuple(routes)
    kinds: list[Any] = [Problem]
    for route in routes:
        kinds += [gives.type for gives in route.gives.values() if gives.type is not None]
        kinds += [kind for kind in (route.takes, route.query) if kind is not None]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=REF)
    schema_of = {id(kind): schema for kind, schema in zip(kinds, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schema_of, components)
    queries = {route.query.__name__ for route in routes if route.query is not None}
    text = msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Huiyin",
                "summary": "An SMS-centric customer interaction gateway",
                "description": INTRODUCTION,
                "version": version,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
            "servers": [{"url": "/"}],
            "paths": paths,
            "components": {
                "schemas": {name: schema for name, schema in components.items() if name not in queries},
                "securitySchemes": {
                    "key": {
                        "type": "http",
                        "scheme": "bearer",
                        "description": "An API key, made by `huiyin key create` and shown once",
                    }
                },
            },
        }
    )
    # msgspec names by module what would clash otherwise; the longest first, none is the head of another then.
    for name in sorted(components, key=len, reverse=True):
        text = text.replace(f'"{name}"'.encode(), f'"{_plain(name)}"'.encode())
        text = text.replace(f'/{name}"'.encode(), f'/{_plain(name)}"'.encode())
    return text


def _plain(name: str) -> str:
    """gateway.domain.survey.Status is SurveyStatus, PageOf_SurveySummary_ is SurveySummaryPage."""
    if name.startswith("PageOf_"):
        return name.removeprefix("PageOf_").strip("_") + "Page"
    words = (word for part in name.split(".")[-2:] for word in part.split("_"))
    return "".join(word[:1].upper() + word[1:] for word in words)


def _operation(route: Route, schema_of: dict[int, Any], components: dict[str, Any]) -> dict[str, Any]:
    told = route.more
    if route.scope is not None:
        told = f"{told}\n\nScope: `{route.scope.value}`.".strip()
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.told,
        "description": told,
        "tags": [
            route.path.removeprefix("/v1/").split("/")[0] if route.path.startswith("/v1/") else "system"
        ],
        "parameters": _parameters(route, components),
        "responses": _responses(route, schema_of),
        "security": [{"key": []}] if route.scope is not None else [],
    }
    if route.has_body:
        operation["requestBody"] = _body(route, schema_of)
    return operation


def _body(route: Route, schema_of: dict[int, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for form in route.forms:
        # One item a line can't be said in JSON Schema: the schema of NDJSON is that of its text.
        schema = schema_of[id(route.takes)] if form.endswith("/json") else {"type": "string"}
        if "items" in schema and route.whole:
            alone = {"description": "Anything else gets a problem of its own, and does not fail the others"}
            schema = schema | {"items": {"anyOf": [schema["items"], alone]}}
        content[form] = {"schema": schema}
    return {"required": True, "content": content, "description": f"At most {route.limit // ONE_MIB} MiB"}


def _parameters(route: Route, components: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": segment[1:-1], "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for segment in route.path.split("/")
        if segment.startswith("{")
    ]
    if route.query is not None:
        schema = components[route.query.__name__]
        found += [
            {"name": name, "in": "query", "required": name in schema["required"], "schema": _not_null(kind)}
            for name, kind in schema["properties"].items()
        ]
    if route.creates:
        found.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "Makes this call happen once, however often it is sent",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
            }
        )
    return found


def _not_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter that is left out is left out: there is no null in a query."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    rest = {name: value for name, value in schema.items() if name != "anyOf" and value is not None}
    if not choices:
        return rest
    return rest | (choices[0] if len(choices) == 1 else {"anyOf": choices})


def _responses(route: Route, schema_of: dict[int, Any]) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status, gives in route.gives.items():
        schema = {"type": "string"} if gives.type is None else schema_of[id(gives.type)]
        content = {gives.content_type: {"schema": schema}} if gives.content_type else {}
        if gives.lines:
            content[NDJSON] = {"schema": {"type": "string"}}
        if gives.sheet:
            content[CSV] = {"schema": {"type": "string"}}
        if gives.page:
            content[HTML] = {"schema": {"type": "string"}}
        responses[str(status)] = {
            "description": gives.told,
            "headers": _REQUEST_ID | (_REPLAYED if route.creates else {}),
            "content": content,
        }
    for status, told in sorted(problems_of(route).items()):
        if str(status) in responses:
            continue
        headers: dict[str, Any] = dict(_REQUEST_ID)
        if status in {429, 503}:
            headers |= _RETRY_AFTER
        if status == 401:
            headers |= _CHALLENGE
        responses[str(status)] = {
            "description": told,
            "headers": headers,
            "content": {PROBLEM_JSON: {"schema": REF_TO_PROBLEM}},
        }
    return responses


REF_TO_PROBLEM: Final = {"$ref": REF.format(name="Problem")}
