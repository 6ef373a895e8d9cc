"""Whom the simulated SMSC lets in, and what of theirs: accounts, their rates and their queues."""

from collections import defaultdict

from gateway.simulator.behaviour import Account, Scenario
from gateway.simulator.bucket import Bucket, Meter
from gateway.smpp import status


class Admission:
    """What one scenario allows."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._accounts = {account.system_id: account for account in scenario.accounts}
        self._buckets: dict[str, Bucket] = {}
        self._meters: dict[str, Meter] = {}
        self._waiting: defaultdict[str, int] = defaultdict(int)  # messages without their outcome
        self._queue = scenario.queue
        self._rate = scenario.rate
        #: Whether `submit` need be asked at all.
        self.limited = bool(
            scenario.rate
            or scenario.rates
            or scenario.queue
            or scenario.congestion
            or any(account.rate for account in scenario.accounts)
        )

    def account(self, system_id: str) -> Account | None:
        """An account that the scenario names."""
        return self._accounts.get(system_id)

    def bind(self, system_id: str, password: str, bound: int) -> int:
        """Whether this account may bind beside those that it has bound: a command_status."""
        if not self._accounts:
            return status.ESME_ROK
        account = self._accounts.get(system_id)
        if account is None:
            return status.ESME_RINVSYSID
        if account.password is not None and account.password != password:
            return status.ESME_RINVPASWD
        return status.ESME_RBINDFAIL if 0 < account.max_binds <= bound else status.ESME_ROK

    def change_rate(self, rate: float) -> None:
        """Another rate for all who have none of their own."""
        self._rate = rate
        for system_id in tuple(self._buckets):
            if self._own_rate(system_id) is None:
                del self._buckets[system_id]

    def submit(self, system_id: str, now: float) -> int:
        """Whether the account's rate and queue let one more in: a command_status."""
        rate = self._rate_of(system_id)
        scenario = self._scenario
        command_status = status.ESME_ROK
        if rate:
            bucket = self._buckets.get(system_id)
            if bucket is None:
                bucket = self._buckets[system_id] = Bucket(rate, scenario.burst, now)
            if not bucket.spend(now):
                command_status = scenario.throttle_status
        if self._queue and not command_status and self._waiting[system_id] >= self._queue:
            command_status = status.ESME_RMSGQFUL
        if scenario.congestion:
            meter = self._meters.get(system_id)
            if meter is None:
                meter = self._meters[system_id] = Meter(now)
            meter.count(now, refused=command_status != 0)
        return command_status

    def congestion(self, system_id: str, now: float) -> int:
        """congestion_state of an account: 0 idle to 100, 80 to 89 just right (SMPP 5.0 §4.8.4.18)."""
        meter = self._meters.get(system_id)
        if meter is None:
            return 0
        full = self._waiting[system_id] / self._queue if self._queue else 0.0
        return meter.congestion(now, self._rate_of(system_id), full)

    def taken(self, system_id: str) -> None:
        """One more waits for its outcome."""
        if self._queue:
            self._waiting[system_id] += 1

    def concluded(self, system_id: str) -> None:
        """One that waited has its outcome."""
        if self._queue and self._waiting[system_id]:
            self._waiting[system_id] -= 1

    def _own_rate(self, system_id: str) -> float | None:
        account = self._accounts.get(system_id)
        return None if account is None else account.rate

    def _rate_of(self, system_id: str) -> float:
        own = self._own_rate(system_id)
        return self._rate if own is None else own
