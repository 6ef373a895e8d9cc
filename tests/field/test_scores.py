"""Every reply of the museum is read as a careful person reads it, or left to one: never wrong."""

import pytest

from gateway.domain.score import Scale, Scored, read_score
from tests.field import Exhibit, exhibits

FILES = [pytest.param(scale, id=f"score-{scale}") for scale in Scale]


def read(exhibit: Exhibit, scale: Scale) -> str:
    """The reading in the words of the file."""
    answer = read_score(exhibit.reply, scale)
    return str(answer.value) if isinstance(answer, Scored) else f"?{answer.why}"


def expected(exhibit: Exhibit) -> str:
    return f"?{exhibit.why}" if exhibit.why else str(exhibit.reading)


@pytest.mark.parametrize("scale", FILES)
def test_every_reply_is_read_as_the_museum_says(scale: Scale) -> None:
    turned = [
        f"line {each.line}: {each.reply!r} was {expected(each)}, is {read(each, scale)}"
        for each in exhibits(f"score-{scale}.tsv")
        if read(each, scale) != expected(each)
    ]
    assert not turned, "\n" + "\n".join(turned)


@pytest.mark.parametrize("scale", FILES)
def test_no_reply_is_read_as_a_score_that_it_does_not_state(scale: Scale) -> None:
    wrong = [
        f"line {each.line}: {each.reply!r} says {each.reading}, read as {read(each, scale)}"
        for each in exhibits(f"score-{scale}.tsv")
        if not (answer := read(each, scale)).startswith("?") and answer != each.reading
    ]
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize("scale", FILES)
def test_few_of_the_clear_replies_are_left_to_people(scale: Scale) -> None:
    clear = [each for each in exhibits(f"score-{scale}.tsv") if each.reading]
    left = [each.reply for each in clear if read(each, scale).startswith("?")]
    assert len(clear) >= 200
    assert len(left) / len(clear) <= 0.05, left


@pytest.mark.parametrize("scale", FILES)
def test_the_museum_holds_each_reply_once(scale: Scale) -> None:
    replies = [each.reply for each in exhibits(f"score-{scale}.tsv")]
    assert len(replies) >= 300
    assert len(replies) == len(set(replies))
