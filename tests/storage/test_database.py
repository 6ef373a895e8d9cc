"""Connections: codecs, what counts as unavailable, and which databases are refused."""

from __future__ import annotations

from gateway.storage.database import Database


async def test_jsonb_goes_in_and_comes_out_as_values(database_dsn: str) -> None:
    async with await Database.open(database_dsn) as database, database.transaction() as connection:
        value = {"score": 8, "text": "满意", "parts": [1, None, True]}
        assert await connection.fetchval("SELECT $1::jsonb", value) == value
        assert await connection.fetchval("SELECT NULL::jsonb") is None
