"""API keys on a real database: shown once, found by their token, gone when revoked."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import pytest

from gateway.domain.ids import IdSource
from gateway.services import keys as service
from gateway.services.keys import Allowance, Key, KeyRing, Keys, Scope, unknown_scopes
from gateway.storage.database import Database, StorageUnavailable

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


class Clock:
    """A monotonic clock that goes when it is told to."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    async with await Database.open(database_dsn, size=2) as database:
        yield database


@pytest.fixture
def keys(database: Database) -> Keys:
    return Keys(database, IdSource(), lambda: NOW)


async def test_a_new_key_opens_at_once(database: Database, keys: Keys) -> None:
    ring = KeyRing(database, Clock())
    made = await keys.create("crm", [Scope.READ, Scope.PII_READ], rate=5)
    found = await ring.find(made.token)
    assert found == made.key
    assert found is not None
    assert (found.name, found.rate, found.may(Scope.READ), found.may(Scope.ADMIN)) == ("crm", 5, True, False)


async def test_only_the_hash_is_stored(database: Database, keys: Keys) -> None:
    made = await keys.create("crm", [Scope.READ])
    secret = made.token.rpartition("_")[2]
    async with database.connection() as connection:
        stored = str(await connection.fetch("SELECT api_keys::text FROM api_keys"))
    assert made.key.id.hex in stored.replace("-", "")
    assert secret not in stored


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda token: "", id="nothing"),
        pytest.param(lambda token: token[:-1], id="cut"),
        pytest.param(lambda token: token + "a", id="longer"),
        pytest.param(lambda token: token.replace("hk_", "hq_"), id="other prefix"),
        pytest.param(lambda token: f"hk_{'0' * 32}_{token.split('_', 2)[2]}", id="another's secret"),
        pytest.param(
            lambda token: token.split("_", 2)[0] + "_" + token.split("_", 2)[1] + "_", id="no secret"
        ),
    ],
)
async def test_a_spoilt_token_opens_nothing(database: Database, keys: Keys, spoil: object) -> None:
    assert callable(spoil)
    made = await keys.create("crm", [Scope.READ])
    assert await KeyRing(database, Clock()).find(spoil(made.token)) is None


async def test_a_revoked_key_is_out_of_the_ring_when_it_is_read_anew(database: Database, keys: Keys) -> None:
    ring = KeyRing(database, Clock())
    made = await keys.create("crm", [Scope.READ])
    assert await ring.find(made.token)
    assert await keys.revoke(made.key.id)
    await ring.load()
    assert await ring.find(made.token) is None
    assert [key.revoked_at for key in await keys.list()] == [NOW]


async def test_the_ring_keeps_itself_fresh(
    database: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "REFRESH_SECONDS", 0.01)
    ring = KeyRing(database, Clock())
    made = await keys.create("crm", [Scope.READ])
    assert await ring.find(made.token)
    running = asyncio.create_task(ring.run())
    await keys.revoke(made.key.id)
    while await ring.find(made.token):
        await asyncio.sleep(0.01)
    running.cancel()


async def test_a_key_made_right_after_the_table_was_read_opens(database: Database, keys: Keys) -> None:
    ring = KeyRing(database, time.monotonic)
    await ring.load()
    made = await keys.create("crm", [Scope.READ])
    assert await ring.find(made.token)


async def test_unknown_keys_share_a_look_at_the_table(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = KeyRing(database, time.monotonic)
    await ring.load()
    looks = 0
    look = KeyRing._load

    async def counted(self: KeyRing) -> None:
        nonlocal looks
        looks += 1
        await look(self)

    monkeypatch.setattr(KeyRing, "_load", counted)
    strangers = [f"hk_{number:032x}_a" for number in range(50)]
    assert set(await asyncio.gather(*map(ring.find, strangers))) == {None}
    assert looks == 1


async def test_when_the_table_can_not_be_read_known_keys_open_and_others_wait(
    database: Database, keys: Keys
) -> None:
    clock = Clock()
    ring = KeyRing(database, clock)
    made = await keys.create("crm", [Scope.READ])
    assert await ring.find(made.token)
    clock.at += 1
    await database.close()
    unknown = f"hk_{'0' * 32}_a"
    for _ in range(2):
        with pytest.raises(StorageUnavailable):
            await ring.find(unknown)
    assert await ring.find(made.token)


async def test_revoking_what_is_not_there_says_so(keys: Keys) -> None:
    assert not await keys.revoke(UUID(int=1))


async def test_keys_are_listed_newest_first(keys: Keys) -> None:
    made = [await keys.create(name, [Scope.READ]) for name in ("a", "b")]
    listed = {key.id for key in await keys.list()}
    assert listed == {one.key.id for one in made}


def test_a_rate_allows_so_many_at_once_and_so_many_a_second() -> None:
    allowance = Allowance(2, 0.0)
    assert [allowance.take(0.0) for _ in range(3)] == [0.0, 0.0, 0.5]
    assert allowance.take(0.5) == 0.0
    assert allowance.take(0.5) == 0.5
    assert [allowance.take(100.0) for _ in range(3)] == [0.0, 0.0, 0.5]


def key(*scopes: Scope, rate: int | None = None) -> Key:
    return Key(id=UUID(int=1), name="a", scopes=frozenset(scopes), rate=rate, created_at=NOW)


def test_admin_opens_every_door_but_shows_no_personal_data() -> None:
    admin = key(Scope.ADMIN)
    assert [scope for scope in Scope if not admin.may(scope)] == [Scope.PII_READ]
    assert not admin.sees_personal_data


async def test_a_key_without_a_rate_is_never_held_back(database: Database) -> None:
    ring = KeyRing(database, Clock())
    assert {ring.take(key()) for _ in range(1000)} == {0.0}


def test_unknown_scopes_are_found() -> None:
    assert unknown_scopes(["read", "root", "admin", "all"]) == ["all", "root"]


async def test_a_key_without_a_rate_has_that_of_the_settings(database: Database, keys: Keys) -> None:
    ring = KeyRing(database, Clock(), rate=2)
    plain, fast = await keys.create("plain", [Scope.READ]), await keys.create("fast", [Scope.READ], rate=3)
    waits = {}
    for made in (plain, fast):
        found = await ring.find(made.token)
        assert found is not None
        waits[found.name] = [ring.take(found) for _ in range(4)]
    assert [wait == 0.0 for wait in waits["plain"]] == [True, True, False, False]
    assert [wait == 0.0 for wait in waits["fast"]] == [True, True, True, False]
    await ring.load()
    found = await ring.find(plain.token)
    assert found is not None
    assert ring.take(found) > 0.0  # what was used up stays so when the ring is read anew
