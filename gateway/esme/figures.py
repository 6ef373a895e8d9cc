"""A route as figures for Prometheus: what `huiyin binds` shows, added up over its binds."""

from datetime import datetime
from typing import Final

from gateway.services.ways import RouteState
from gateway.telemetry import (
    BINDS,
    KEPT,
    OLDEST_RECEIPT,
    RATE,
    RECEIPTS_OUTSTANDING,
    WINDOW,
    WINDOW_SIZE,
)

STATES: Final = ("down", "open", "bound_tx", "bound_rx", "bound_trx", "unbinding")
#: Who still connects is not bound either.
_SHOWN: Final = {"connecting": "down", "unbound": "unbinding", "closed": "down"}


def show(route: RouteState, now: datetime) -> None:
    """Set the figures of one route."""
    name, binds = route.name, route.binds
    states = [_SHOWN.get(bind.state, bind.state) for bind in binds]
    for state in STATES:
        BINDS.labels(name, state).set(states.count(state))
    WINDOW.labels(name).set(sum(bind.in_flight for bind in binds))
    WINDOW_SIZE.labels(name).set(sum(bind.window for bind in binds))
    KEPT.labels(name).set(sum(bind.waiting for bind in binds))
    RATE.labels(name).set(sum(bind.rate or 0.0 for bind in binds))
    RECEIPTS_OUTSTANDING.labels(name).set(route.receipts_outstanding)
    since = route.oldest_receipt_due
    OLDEST_RECEIPT.labels(name).set(max(0.0, (now - since).total_seconds()) if since else 0.0)
