"""The window on its own: its size is never passed, and the oldest is forgotten first."""

import pytest

from gateway.smpp.errors import WindowFull
from gateway.smpp.window import Window


def test_a_window_of_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="less than one"):
        Window(0)


def test_what_is_full_takes_no_more() -> None:
    window = Window(1)
    window.add(window.next_sequence_number(), 4, "first", 0)
    with pytest.raises(WindowFull):
        window.add(window.next_sequence_number(), 4, "second", 0)
    assert (window.room, len(window.pending)) == (0, 1)


def test_only_what_is_old_expires_oldest_first() -> None:
    window = Window(5)
    for sent_at in range(4):
        window.add(window.next_sequence_number(), 4, f"at {sent_at}", sent_at)
    assert [request.token for request in window.expire(before=1)] == ["at 0", "at 1"]
    assert [request.token for request in window.pending.values()] == ["at 2", "at 3"]
    assert window.remembered(1) is not None
    window.forget(1)
    assert window.remembered(1) is None
    assert window.clear() == ("at 2", "at 3")
    assert window.room == 5
