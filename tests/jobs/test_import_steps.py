"""An import on its way through the outbox: the relay sends each step, and it is taken once, however often it comes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from saas.events import Delivery, Handlers, Relay
from saas.exchange import STEP_FALLEN_DUE, TAKE_STEP, TOPICS, Applied, ImportContext, Row, TakeStep, Verdict
from saas.jobs import RetryPolicy
from saas.kernel import FrozenClock
from tenants import Database
from tests.jobs.cast import Tray
from tests.rooms.imports.conftest import company_that_imports
from tests.rooms.imports.toy import Accounts, Imports, accounts


class Counting(Accounts):
    """Rows that are only counted: the fresh database has no toy tables."""

    async def plan(self, context: ImportContext, rows: Sequence[Row]) -> list[Verdict]:
        self.planned.append(len(rows))
        return [Verdict.new() for _ in rows]

    async def apply(self, context: ImportContext, rows: Sequence[Row], verdicts: Sequence[Verdict]) -> list[Applied]:
        self.applied.append(len(rows))
        return [Applied(row.number, None) for row in rows]


async def deliver_all(relay: Relay, tray: Tray, delivery: Delivery, *, times: int) -> int:
    """Send and deliver until nothing is due, each message `times` times; how many messages there were."""
    sent = 0
    while await relay.send_due():
        for message in tray.drain():
            sent += 1
            for _ in range(times):
                await delivery(*message)
    return sent


async def test_steps_go_through_the_outbox_once(
    database: Database, relay: Relay, tray: Tray, retry: RetryPolicy, clock: FrozenClock, tmp_path: Path
) -> None:
    clock.advance(timedelta(days=36_500))  # events fall due by the database's clock, which does not stand
    imports: Imports = await company_that_imports(database, clock, tmp_path, "晨光销售")
    kind = imports.accounts = Counting()
    handlers = Handlers(TOPICS)
    handlers.on(STEP_FALLEN_DUE, name=TAKE_STEP, handler=TakeStep(imports.importer))
    delivery = Delivery(database, handlers, retry=retry, clock=clock)
    batch_id = await imports.stage(accounts(2_500))
    await imports.ask_preview(batch_id)
    assert await deliver_all(relay, tray, delivery, times=2) == 5  # read, three checks, and the news of the preview
    assert (await imports.batch(batch_id))["new_count"] == 2_500
    await imports.ask_commit(batch_id)
    assert await deliver_all(relay, tray, delivery, times=2) == 7  # three verified, three written, and the news
    batch = await imports.batch(batch_id)
    assert (batch["state"], batch["applied_count"]) == ("committed", 2_500)
    assert kind.applied == [1_000, 1_000, 500]
