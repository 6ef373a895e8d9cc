"""The museum of answers, given to the machine itself: nothing that a person reads as no yes is activated."""

from datetime import timedelta

import pytest

from gateway.domain import confirmation as machine
from tests.domain.test_confirmation import RULES, T0, calls, offered, write
from tests.field import exhibits


@pytest.mark.parametrize(("file", "code"), [("consent.tsv", None), ("consent-code.tsv", "37")])
def test_only_what_a_person_reads_as_a_yes_leads_to_a_call(file: str, code: str | None) -> None:
    called = []
    for each in exhibits(file):
        confirmation = offered(code=code, bare=code is None)
        _, effects = machine.step(confirmation, write(each.reply), T0 + timedelta(minutes=1), RULES)
        assert calls(effects) in ([], [machine.ACTIVATE])
        if calls(effects):
            called.append(each)
    assert [f"line {each.line}: {each.reply!r}" for each in called if each.reading != "yes"] == []
    assert called
