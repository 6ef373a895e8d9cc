"""What a route is, and how a call finds its own: one declaration drives dispatch and the OpenAPI document."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from gateway.http.exchange import JSON, Answer, Request
from gateway.http.ports import Services
from gateway.http.problem import METHOD_NOT_ALLOWED, NO_SUCH_PATH, problem
from gateway.http.reading import QueryReader, Reader
from gateway.services.keys import Scope

ONE_MIB: Final = 1 << 20
BATCH_LIMIT: Final = 16 * ONE_MIB

Handler = Callable[[Request, Services], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Gives:
    """One answer of a route: its type (None: no JSON) and what it means."""

    told: str
    type: Any = None
    content_type: str = JSON
    lines: bool = False  #: or as NDJSON, one item a line, if the caller asks for that
    sheet: bool = False  #: or as CSV, if the caller asks for that
    page: bool = False  #: or as HTML, if the caller asks for that


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation of the API."""

    method: str
    path: str  #: {…} stands for one segment
    name: str  #: operationId
    handler: Handler
    told: str  #: one line
    gives: Mapping[int, Gives]
    more: str = ""  #: what the line leaves open
    scope: Scope | None = None  #: None: open to everybody, outside /v1 only
    takes: Any = None  #: type of the JSON body
    whole: bool = False  #: the handler reads the body itself, with `forms` as its content types
    forms: tuple[str, ...] = (JSON,)
    query: type[msgspec.Struct] | None = None
    creates: bool = False  #: takes an Idempotency-Key
    problems: Mapping[int, str] = field(default_factory=dict)  #: beyond those of every route of its kind
    limit: int = ONE_MIB  #: octets of a body

    @property
    def operation(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def has_body(self) -> bool:
        return self.takes is not None


class Bound:
    """A route ready for work: its readers are made, and its figures are looked up once."""

    __slots__ = ("accepts", "operation", "query", "reader", "route")

    def __init__(self, route: Route) -> None:
        self.route = route
        self.operation = route.operation
        self.reader = Reader(route.takes) if route.takes is not None and not route.whole else None
        self.accepts = any(gives.lines or gives.sheet or gives.page for gives in route.gives.values())
        self.query = QueryReader(route.query) if route.query is not None else None


class Table:
    """All routes. Paths without {…} are found in one look-up, the others segment by segment."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._plain: dict[str, dict[str, Bound]] = {}
        self._tree: dict[str, Any] = {}
        for route in routes:
            bound = Bound(route)
            if "{" not in route.path:
                methods = self._plain.setdefault(route.path, {})
            else:
                node = self._tree
                for segment in route.path.split("/")[1:]:
                    node = node.setdefault("*" if segment.startswith("{") else segment, {})
                methods = node.setdefault("", {})
            if route.method in methods:
                raise ValueError(f"{route.operation} is declared twice")
            methods[route.method] = bound

    def find(self, method: str, path: str) -> tuple[Bound, tuple[str, ...]] | Answer:
        """The route for a call and what stands for its {…}; or 404, or 405 with what is allowed."""
        params: tuple[str, ...] = ()
        methods = self._plain.get(path)
        if methods is None:
            methods, params = self._walk(path)
        if methods is None:
            return problem(
                NO_SUCH_PATH, f"There is nothing at {path[:200]}. GET /openapi.json lists what there is."
            )
        bound = methods.get("GET" if method == "HEAD" else method)
        if bound is None:
            allowed = ", ".join(sorted({*methods, *({"HEAD"} if "GET" in methods else ())}))
            return problem(
                METHOD_NOT_ALLOWED,
                f"{path[:200]} knows {allowed}, not {method[:20]}.",
                headers={"Allow": allowed},
            )
        return bound, params

    def _walk(self, path: str) -> tuple[dict[str, Bound] | None, tuple[str, ...]]:
        node: dict[str, Any] | None = self._tree
        params: list[str] = []
        for segment in path.split("/")[1:]:
            if not segment or node is None:
                return None, ()
            if segment in node:
                node = node[segment]
            else:
                node = node.get("*")
                params.append(unquote(segment))
        return (node or {}).get(""), tuple(params)
