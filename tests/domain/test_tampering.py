"""What was done to a chain is found, and named."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain import tampering
from gateway.domain.evidence import ORIGIN, Entry, Head, New, Seal, canonical, follow, link
from gateway.domain.tampering import Cause, Finding, Kept, What, check

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
BUCKET = 7


def cnf(number: int, bucket: int = BUCKET) -> UUID:
    return UUID(int=(0x0199 << 112) | (number << 64) | bucket)


def chain(rows: int = 12, bucket: int = BUCKET, of: int = 3) -> list[Entry]:
    """Entries of a few confirmations that take turns."""
    news = [
        New(
            bucket,
            cnf(n % of, bucket),
            START + timedelta(seconds=n),
            "replied",
            canonical({"text": f"第{n}"}),
        )
        for n in range(rows)
    ]
    return follow(Head(bucket, 0, ORIGIN), news)[0]


WHOLE = chain()
HEAD = Head(BUCKET, 12, WHOLE[-1].hash)


def found(
    rows: Sequence[Entry], head: Head | None = HEAD, kept: Sequence[Kept] = (), seals: Sequence[Seal] = ()
) -> list[Finding]:
    ordered = sorted(rows, key=lambda entry: (entry.bucket, entry.n))
    return check(ordered, [head] if head else [], seals, kept)


def changed(n: int, **fields: object) -> list[Entry]:
    return [row._replace(**fields) if row.n == n else row for row in WHOLE]  # type: ignore[arg-type]


def swapped(a: int, b: int) -> list[Entry]:
    to = {a: b, b: a}
    return [row._replace(n=to.get(row.n, row.n)) for row in WHOLE]


def rehashed(rows: Sequence[Entry], start: int) -> list[Entry]:
    """The same rows with every hash from number `start` on made anew."""
    done: list[Entry] = []
    for row in rows:
        if row.n >= start:
            previous = done[-1].hash if done else ORIGIN
            row = row._replace(previous=previous, hash=link(previous, row))  # noqa: PLW2901 - the new row
        done.append(row)
    return done


def at(n: int, what: What, cause: Cause, last: int | None = None, **more: object) -> Finding:
    names = {"confirmation_id": WHOLE[n - 1].confirmation_id} | more
    return Finding(what, cause, BUCKET, n, last or n, **names)  # type: ignore[arg-type]


def lost(n: int, cause: Cause, last: int | None = None) -> Finding:
    return Finding(What.REMOVED, cause, BUCKET, n, last or n)


def put_in(n: int) -> list[Entry]:
    """A row put between two, and all behind it numbered on."""
    fake = Entry(BUCKET, n, cnf(9), START, "replied", "{}", WHOLE[n - 2].hash, b"")
    after = [row._replace(n=row.n + 1) for row in WHOLE[n - 1 :]]
    return [*WHOLE[: n - 1], fake._replace(hash=link(fake.previous, fake)), *after]


def moved(n: int, was: int) -> Finding:
    return Finding(What.MOVED, Cause.PLACE, BUCKET, n, n, WHOLE[was - 1].confirmation_id, (BUCKET, was))


def test_a_chain_that_nobody_touched_is_intact() -> None:
    assert found(WHOLE, kept=[Kept(Head(BUCKET, 5, WHOLE[4].hash), START), Kept(HEAD, START)]) == []
    assert check([], [Head(3, 0, ORIGIN)], [], [Kept(Head(3, 0, ORIGIN), START)]) == []


C, R, M = What.CHANGED, What.REMOVED, What.MOVED


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param(changed(5, body="{}"), [at(5, C, Cause.CONTENT)], id="body"),
        pytest.param(changed(5, at=START), [at(5, C, Cause.CONTENT)], id="time"),
        pytest.param(changed(5, at=None), [at(5, C, Cause.CONTENT)], id="no time at all"),
        pytest.param(changed(5, kind="x"), [at(5, C, Cause.CONTENT)], id="kind"),
        pytest.param(
            changed(5, confirmation_id=cnf(2)),
            [at(5, C, Cause.CONTENT, confirmation_id=cnf(2))],
            id="confirmation",
        ),
        pytest.param(changed(5, hash=ORIGIN), [at(5, C, Cause.HASH)], id="hash"),
        pytest.param(changed(12, hash=ORIGIN), [at(12, C, Cause.HASH)], id="last hash"),
        pytest.param(changed(5, previous=ORIGIN), [at(5, C, Cause.PREVIOUS)], id="previous"),
        pytest.param(changed(1, body="{}"), [at(1, C, Cause.CONTENT)], id="first body"),
        pytest.param(changed(12, body="{}"), [at(12, C, Cause.CONTENT)], id="last body"),
        pytest.param(
            rehashed(changed(5, body="{}"), 5)[:5] + WHOLE[5:], [at(5, C, Cause.REPLACED)], id="hashed anew"
        ),
        pytest.param(
            WHOLE[:11] + rehashed(changed(12, body="{}"), 12)[11:], [at(12, C, Cause.HEAD)], id="last anew"
        ),
        pytest.param(
            rehashed(changed(1, previous=b"\1" * 32), 2)[:1] + WHOLE[1:],
            [at(1, C, Cause.PREVIOUS)],
            id="first previous",
        ),
        pytest.param(WHOLE[:4] + WHOLE[5:], [lost(5, Cause.GAP)], id="one removed"),
        pytest.param(WHOLE[1:], [lost(1, Cause.GAP)], id="first removed"),
        pytest.param(WHOLE[:-1], [lost(12, Cause.TAIL)], id="last removed"),
        pytest.param(WHOLE[:8], [lost(9, Cause.TAIL, 12)], id="tail removed"),
        pytest.param([], [lost(1, Cause.CHAIN, 12)], id="all removed"),
        pytest.param(
            [row for row in WHOLE if row.confirmation_id != cnf(1)],
            [lost(2, Cause.GAP), lost(5, Cause.GAP), lost(8, Cause.GAP), lost(11, Cause.GAP)],
            id="a confirmation removed",
        ),
        pytest.param(
            swapped(5, 6),
            [
                moved(5, was=6),
                moved(6, was=5),
            ],
            id="neighbours swapped",
        ),
        pytest.param(
            swapped(3, 10),
            [
                moved(3, was=10),
                moved(10, was=3),
            ],
            id="two swapped",
        ),
        pytest.param(
            [row._replace(n=40) if row.n == 5 else row for row in WHOLE],
            [moved(40, was=5)],
            id="moved behind the head",
        ),
        pytest.param(
            [row._replace(n=-5) if row.n == 5 else row for row in WHOLE],
            [moved(-5, was=5)],
            id="moved before the first",
        ),
        pytest.param(
            put_in(5),
            [
                Finding(What.INSERTED, Cause.EXTRA, BUCKET, 5, 5, cnf(9)),
                Finding(M, Cause.PLACE, BUCKET, 6, 13, None, (BUCKET, 5)),
            ],
            id="one put in",
        ),
        pytest.param(
            [*WHOLE, *follow(HEAD, [New(BUCKET, cnf(9), START, "replied", "{}")])[0]],
            [Finding(What.INSERTED, Cause.BEYOND_HEAD, BUCKET, 13, 13, cnf(9))],
            id="one put behind",
        ),
        pytest.param(
            [*WHOLE, WHOLE[0]._replace(n=0)],
            [Finding(What.INSERTED, Cause.BELOW_START, BUCKET, 0, 0, cnf(0))],
            id="one put before",
        ),
    ],
)
def test_what_was_done_is_named(rows: list[Entry], expected: list[Finding]) -> None:
    assert found(rows) == expected


def test_a_row_that_was_carried_to_another_chain_is_named_in_both() -> None:
    rows = [row._replace(bucket=6) if row.n == 12 else row for row in WHOLE]
    heads = [Head(6, 0, ORIGIN), HEAD]
    home = Finding(M, Cause.PLACE, 6, 12, 12, WHOLE[11].confirmation_id, (BUCKET, 12))
    assert check(sorted(rows), heads, [], []) == [home, lost(12, Cause.TAIL)]


def test_rows_of_no_chain_are_named() -> None:
    row = WHOLE[4]._replace(bucket=263)
    expected = [lost(5, Cause.GAP), Finding(What.INSERTED, Cause.NO_CHAIN, 263, 5, 5, row.confirmation_id)]
    assert found([*WHOLE[:4], *WHOLE[5:], row]) == expected


# --- heads and seals -----------------------------------------------------------------------------


def test_a_chain_without_its_head_is_named() -> None:
    assert found(WHOLE, head=None) == [lost(1, Cause.HEAD_MISSING, 12)]


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        pytest.param(HEAD._replace(hash=ORIGIN), [at(12, C, Cause.HEAD)], id="hash"),
        pytest.param(HEAD._replace(n=13), [lost(13, Cause.TAIL)], id="forward"),
        pytest.param(Head(BUCKET, 11, WHOLE[10].hash), [at(12, What.INSERTED, Cause.BEYOND_HEAD)], id="back"),
    ],
)
def test_a_head_that_was_changed_is_found(head: Head, expected: list[Finding]) -> None:
    assert found(WHOLE, head) == expected


def test_an_empty_chain_whose_head_was_changed_is_found() -> None:
    assert found([], Head(BUCKET, 0, b"\1" * 32)) == [Finding(C, Cause.HEAD, BUCKET, 0, 0)]


LATER = START + timedelta(days=30)
AGO, LATELY = Kept(Head(BUCKET, 4, WHOLE[3].hash), START), Kept(Head(BUCKET, 9, WHOLE[8].hash), LATER)


def test_a_chain_rewritten_with_its_head_is_found_against_exported_heads_only() -> None:
    rows = rehashed(changed(6, body="{}"), 6)
    head = Head(BUCKET, 12, rows[-1].hash)
    assert found(rows, head) == []
    assert found(rows, head, [AGO]) == []
    told = Finding(What.REWRITTEN, Cause.EXPORTED, BUCKET, 5, 9, exported_at=LATER)
    assert found(rows, head, [LATELY, AGO]) == [told]
    assert found(rows, head, [LATELY]) == [told._replace(n=1)]


def test_a_tail_removed_with_its_head_set_back_is_found_against_exported_heads_only() -> None:
    head = Head(BUCKET, 6, WHOLE[5].hash)
    assert found(WHOLE[:6], head) == []
    told = Finding(What.REMOVED, Cause.SINCE_EXPORT, BUCKET, 7, 9, exported_at=LATER)
    assert found(WHOLE[:6], head, [LATELY]) == [told]
    empty = Head(BUCKET, 0, ORIGIN)
    assert found([], empty, [LATELY]) == [told._replace(n=1)]


SEAL = Seal(BUCKET, 4, WHOLE[3].hash, START, LATER)


def test_a_chain_sealed_below_is_intact() -> None:
    assert found(WHOLE[4:], seals=[SEAL], kept=[AGO, LATELY]) == []
    assert found([], seals=[SEAL._replace(n=12, hash=WHOLE[11].hash)]) == []


@pytest.mark.parametrize(
    ("rows", "seal", "expected"),
    [
        pytest.param(WHOLE[5:], SEAL, [lost(5, Cause.GAP)], id="first after it removed"),
        pytest.param(WHOLE[4:], SEAL._replace(hash=ORIGIN), [at(5, C, Cause.SEAL)], id="its hash changed"),
        pytest.param(WHOLE[3:], SEAL, [at(4, What.INSERTED, Cause.BELOW_START)], id="a row under it"),
    ],
)
def test_a_seal_is_held_against_its_chain(rows: list[Entry], seal: Seal, expected: list[Finding]) -> None:
    assert found(rows, seals=[seal]) == expected


def test_a_false_seal_is_found_against_exported_heads() -> None:
    rows = rehashed(changed(3, body="{}"), 3)
    seal = SEAL._replace(hash=rows[3].hash)
    head = Head(BUCKET, 12, rows[-1].hash)
    assert found(rows[4:], head, seals=[seal]) == []
    told = Finding(What.REWRITTEN, Cause.EXPORTED, BUCKET, 4, 4, exported_at=START)
    assert found(rows[4:], head, [AGO], [seal])[0] == told


# --- whatever is done ----------------------------------------------------------------------------


def flipped(value: object, bit: int) -> object:
    """A value of a column with one of its bits turned."""
    match value:
        case int():
            return value ^ (1 << bit % 63)
        case UUID():
            return UUID(int=value.int ^ (1 << bit % 128))
        case datetime():
            try:
                return value + timedelta(microseconds=(1 << bit % 56) * (-1 if bit & 1 else 1))
            except OverflowError:
                return None
        case bytes():
            octets = bytearray(value)
            octets[bit // 8 % len(octets)] ^= 1 << bit % 8
            return bytes(octets)
        case str():
            place = bit // 7 % len(value)
            return value[:place] + chr(ord(value[place]) ^ (1 << bit % 7)) + value[place + 1 :]
    raise AssertionError(value)


@given(st.integers(0, 11), st.sampled_from(Entry._fields), st.integers(0, 400))
def test_any_bit_that_is_turned_is_found(row: int, column: str, bit: int) -> None:
    other = flipped(getattr(WHOLE[row], column), bit)
    rows = [*WHOLE[:row], WHOLE[row]._replace(**{column: other}), *WHOLE[row + 1 :]]  # type: ignore[arg-type]
    numbers = [(each.bucket, each.n) for each in rows]
    if len(set(numbers)) == len(numbers):
        heads = [Head(bucket, 0, ORIGIN) if bucket != BUCKET else HEAD for bucket in range(256)]
        told = check(sorted(rows, key=lambda each: each[:2]), heads)
        assert told
        named = {n for each in told for n in (each.n, each.was[1] if each.was else each.n)}
        assert row + 1 in named


@given(st.data())
def test_any_order_and_choice_of_rows_but_the_true_one_is_found(data: st.DataObject) -> None:
    pick: Callable[..., list[Entry]] = data.draw
    picked = pick(st.lists(st.sampled_from(WHOLE), max_size=14))
    rows = [row._replace(n=n) for n, row in enumerate(picked, 1)]
    assert bool(found(rows)) == (rows != WHOLE)


def test_a_mass_of_rows_that_fit_nowhere_is_told_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tampering, "KEPT", 3)
    told = found([row._replace(body="{}") for row in WHOLE])
    assert told == [at(n, C, Cause.CONTENT) for n in range(1, 13)]
