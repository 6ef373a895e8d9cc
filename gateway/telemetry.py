"""Log lines and figures: how the gateway tells what it does, without customers' words, numbers or secrets.

Every floor above the pure ones may import this; it imports nothing of ours.
"""

import logging
import re
import sys
from collections.abc import Iterator, MutableMapping
from functools import cache
from itertools import accumulate
from typing import Any, Final, TextIO, TypeVar

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

# --- Log lines -------------------------------------------------------------------------------------------

#: A run of digits as long as a customer's number, with a plus or without. Digits among letters are part of
#: an id (msg_0199…) and are left alone, or ids could not be searched for; so are the digits of a fraction.
NUMBER: Final = re.compile(r"(?<![0-9A-Za-z])(?<![0-9]\.)\+?[0-9]{10,}(?![0-9A-Za-z])")

#: Fields that never reach a line, whoever logs them: what was written, and what opens doors.
WITHHELD: Final = frozenset(
    {"text", "body", "comment", "raw", "short_message", "message_payload", "params"}
    | {"password", "secret", "token", "authorization", "cookie", "api_key", "dsn"}
)

#: Fields that hold numbers by design and are read by machines: times, sizes, ids.
PLAIN: Final = frozenset({"timestamp", "level", "logger", "request_id"})


def mask(number: str) -> str:
    """A customer's number as logs may show it: 8613905310001 becomes 8613905***001."""
    return f"{number[:-6]}***{number[-3:]}" if len(number) > 9 else "***"


def masked(value: Any) -> Any:
    """The same value with each number in it masked, however deep it stands."""
    if isinstance(value, str):
        return NUMBER.sub(lambda hit: mask(hit[0]), value)
    if isinstance(value, bool | float) or value is None:
        return value
    if isinstance(value, int):
        return masked(str(value)) if value >= 10**10 else value
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} octets>"  # the wire's octets hold the customer's words
    if isinstance(value, dict):
        return {key: "<withheld>" if key in WITHHELD else masked(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [masked(item) for item in value]
    return masked(str(value))


def discreet(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Last processor before the line is written: withholds texts and secrets, masks numbers."""
    for key, value in event.items():
        if key in WITHHELD:
            event[key] = "<withheld>"
        elif key not in PLAIN:
            event[key] = masked(value)
    return event


def configure(level: str = "info", style: str = "json", stream: TextIO | None = None) -> None:
    """Send every line, ours and the libraries', through one road to `stream` (standard error).

    `style` is "json" (one object a line) or "console" (for people, in colour on a terminal).
    """
    stream = stream or sys.stderr
    before: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    write: list[Any] = (
        [structlog.dev.ConsoleRenderer(colors=stream.isatty())]
        if style == "console"
        else [structlog.processors.JSONRenderer(ensure_ascii=False)]
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                discreet,
                *write,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger("aiohttp.access").setLevel(
        "WARNING"
    )  # its paths name customers; ours are logged by http/
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *before,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


# --- Figures ---------------------------------------------------------------------------------------------
# Labels take few values by design (a lane, a route, a verdict): never a number, an id or a text.

REGISTRY: Final = CollectorRegistry()
QUICK: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
M = TypeVar("M", Counter, Gauge, Histogram)


def counter(name: str, told: str, *labels: str) -> Counter:
    return _quick(Counter(f"huiyin_{name}", told, labels, registry=REGISTRY))


def gauge(name: str, told: str, *labels: str) -> Gauge:
    return _quick(Gauge(f"huiyin_{name}", told, labels, registry=REGISTRY))


def histogram(name: str, told: str, *labels: str, buckets: tuple[float, ...] = QUICK) -> Histogram:
    return _quick(Histogram(f"huiyin_{name}", told, labels, registry=REGISTRY, buckets=buckets))


class Tally:
    """One route's part of a histogram that is counted in bulk: per bucket, and the sum of all."""

    __slots__ = ("counts", "total")

    def __init__(self, buckets: int) -> None:
        self.counts = [0] * buckets
        self.total = 0.0


class Tallies(Collector):
    """A histogram for hot paths: who counts adds to a `Tally` by itself, a tenth of what observing costs."""

    def __init__(self, name: str, told: str, label: str) -> None:
        self._head = (f"huiyin_{name}", told)
        self._label = label
        self._tallies: dict[str, Tally] = {}
        REGISTRY.register(self)

    def labels(self, value: str) -> Tally:
        """The tally under this label, with one bucket for each of `QUICK`, and one for what is beyond."""
        tally = self._tallies.get(value)
        if tally is None:
            tally = self._tallies[value] = Tally(len(QUICK) + 1)
        return tally

    def collect(self) -> Iterator[Metric]:
        """As Prometheus wants it."""
        family = HistogramMetricFamily(*self._head, labels=[self._label])
        bounds = [*(str(float(bound)) for bound in QUICK), "+Inf"]
        for value, tally in self._tallies.items():
            buckets = list(zip(bounds, accumulate(tally.counts), strict=True))
            family.add_metric([value], buckets, tally.total)
        yield family


def _quick(metric: M) -> M:
    """Remember what each set of labels led to: to look it up costs three times as much as to count."""
    metric.__dict__["labels"] = cache(metric.labels)
    return metric


def exposition() -> bytes:
    """All figures as Prometheus reads them (text format 0.0.4)."""
    return generate_latest(REGISTRY)


# The way in
HTTP_REQUESTS: Final = counter("http_requests_total", "Requests answered", "method", "route", "status")
HTTP_SECONDS: Final = histogram("http_request_seconds", "From the request's head to its answer", "route")
ACCEPTED: Final = counter("messages_accepted_total", "Messages stored and promised", "lane", "source")
REFUSED: Final = counter("messages_refused_total", "Messages refused at the door", "lane", "reason")
COMMIT_SECONDS: Final = histogram("commit_seconds", "One shared commit", "what")
COMMIT_SIZE: Final = histogram(
    "commit_items", "Items that shared one commit", "what", buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500, 1000)
)

# The way to the phone
WAITING: Final = gauge("messages_waiting", "Messages due and not yet submitted", "lane")
SUBMITTED: Final = counter("segments_submitted_total", "submit_sm answered, by verdict", "route", "verdict")
SUBMIT_SECONDS: Final = Tallies("submit_seconds", "From submit_sm written to its response", "route")
ACCEPT_TO_SUBMIT: Final = histogram("accept_to_submit_seconds", "From accepted to submitted", "lane")
UNKNOWN: Final = counter("attempts_unknown_total", "Attempts that got no response", "route", "cause")
MAYBE_DUPLICATE: Final = counter("maybe_duplicate_total", "Segments sent once more after unknown", "route")
SETTLED: Final = counter(
    "messages_settled_total", "Messages that reached their final state", "lane", "status"
)
RECEIPTS: Final = counter("receipts_total", "Delivery receipts stored", "route", "state")
RECEIPTS_UNMATCHED: Final = gauge("receipts_unmatched", "Receipts kept that match nothing yet")
RECEIPTS_OUTSTANDING: Final = gauge(
    "receipts_outstanding", "Segments that the SMSC took and has not reported yet", "route"
)
OLDEST_RECEIPT: Final = gauge(
    "oldest_receipt_seconds", "How long ago the oldest of them was taken; 0: there is none", "route"
)

# The binds
BINDS: Final = gauge("binds", "Binds by state", "route", "state")
WINDOW: Final = gauge("window_in_flight", "Requests without their response", "route")
RATE: Final = gauge("learned_rate", "PDUs a second that the bind holds to now; 0 is no limit", "route")
WINDOW_SIZE: Final = gauge("window_size", "Requests that may be without their response", "route")
KEPT: Final = gauge("binds_waiting", "Messages that binds keep: refused for now, or behind another", "route")
ALARMS: Final = counter("alarms_total", "Refusals that a person has to look at", "route", "status")
THROTTLED: Final = counter("throttled_total", "Refusals that said: slower", "route", "status")
PDU_ERRORS: Final = counter("pdu_errors_total", "PDUs that could not be read", "route", "kind")

# The way back
REPLIES: Final = counter("replies_total", "Replies stored, by what they were taken for", "meaning")
CONVERSATIONS: Final = counter(
    "conversations_total", "Conversations by kind and how they ended", "kind", "end"
)

CASE_SECONDS: Final = histogram(
    "case_seconds",
    "From a customer's own words to the number of their case",
    buckets=(1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14400, 43200, 86400),
)

# The calls out
CALLS: Final = counter("callbacks_total", "Calls out by connector and outcome", "connector", "outcome")
CALL_SECONDS: Final = histogram("callback_seconds", "One call out", "connector")
CALLS_WAITING: Final = gauge("callbacks_waiting", "Calls out not yet delivered", "connector")
CALLS_PARKED: Final = gauge("callbacks_parked", "Calls out that wait for a person", "connector")

# The house
BUCKETS: Final = gauge("buckets_owned", "Buckets whose lease this node holds")
LOOP_LAG: Final = histogram("loop_lag_seconds", "How late the event loop runs")
UP_TO_DATE: Final = gauge(
    "configuration_valid", "1 while the newest configuration is in force, 0 while an older one is"
)
