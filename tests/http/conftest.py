"""A running server with fakes behind it."""

from collections.abc import AsyncIterator

import pytest

from tests.http.fakes import World, world


@pytest.fixture
async def api() -> AsyncIterator[World]:
    async with world() as running:
        yield running
