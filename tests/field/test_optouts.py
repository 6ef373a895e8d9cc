"""Every line of the opt-out museum goes the way that a careful person reads it."""

from gateway.domain.optout import read_optout
from tests.field import exhibits


def test_every_reply_goes_the_way_that_the_museum_says() -> None:
    turned = [
        f"line {each.line}: {each.reply!r} was {each.reading}, is {found}"
        for each in exhibits("optout.tsv")
        if (found := read_optout(each.reply) or "none") != each.reading
    ]
    assert not turned, "\n" + "\n".join(turned)
