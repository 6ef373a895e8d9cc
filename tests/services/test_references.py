"""References of long texts: none twice to one number while it matters, and bounded."""

from uuid import UUID

from gateway.services import references
from gateway.services.references import EACH, SPACE, References
from tests.services.road import ANNA, BEN


def test_two_texts_to_one_number_bear_two_references() -> None:
    known = References()
    assert known.take(ANNA, UUID(int=1), 40) == 40
    assert known.take(ANNA, UUID(int=2), 40) == 41
    assert known.take(ANNA, UUID(int=3), 40) == 42
    assert known.take(BEN, UUID(int=4), 40) == 40


def test_a_text_keeps_its_reference() -> None:
    known = References()
    known.take(ANNA, UUID(int=1), 40)
    assert [known.take(ANNA, UUID(int=2), 40) for _ in range(3)] == [41, 41, 41]


def test_after_the_last_one_comes_the_first() -> None:
    known = References()
    known.take(ANNA, UUID(int=1), SPACE - 1)
    assert known.take(ANNA, UUID(int=2), SPACE - 1) == 0


def test_an_old_reference_is_free_again() -> None:
    known = References()
    for n in range(EACH + 1):
        known.take(ANNA, UUID(int=n), n)
    assert known.take(ANNA, UUID(int=1000), 0) == 0
    assert known.take(ANNA, UUID(int=1001), EACH) == EACH + 1


def test_memory_is_bounded() -> None:
    known = References()
    for n in range(references.NUMBERS + 10):
        known.take(str(n), UUID(int=n), 0)
    assert len(known._taken) == references.NUMBERS
