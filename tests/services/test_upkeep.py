"""What is too old goes: evidence by its own time."""

from datetime import timedelta

from gateway.services.evidence import Evidence
from gateway.services.upkeep import Upkeep
from gateway.storage.database import Database
from tests.services.testimony import START, cnf, record, story

DAY = timedelta(days=1)


async def test_evidence_goes_when_its_own_time_is_over(database_dsn: str) -> None:
    now = START + 5 * DAY
    async with await Database.open(database_dsn, size=2) as database:
        await record(database, cnf(1), cnf(2))
        evidence = Evidence(database, lambda: now)
        for kept, rows in ((6 * DAY, 2 * len(story())), (4 * DAY, 0)):
            upkeep = Upkeep(
                database,
                messages_kept=DAY,
                replies_kept=DAY,
                early_receipts_kept=DAY,
                evidence_kept=kept,
                now=lambda: now,
            )
            await upkeep.once()
            looked = await evidence.look(7)
            assert (looked.rows, looked.findings) == (rows, [])
