"""Background work of the reports room: steps as they fall due, and the removal of what is old."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from saas.events import Event, Handlers
from saas.kernel import Clock
from saas.reports.actions import Reporter, fail_report
from saas.reports.errors import ReportNotReady
from saas.reports.events import REPORT_STEP_DUE
from saas.reports.rules import KEPT
from tenants import current_tenant_id, current_transaction

REPORT = "reports.take_step"
_AT_ONCE = 20
_PURGE = """
DELETE FROM report WHERE tenant_id = $1 AND id IN (
    SELECT id FROM report WHERE tenant_id = $1 AND created_at < $2 ORDER BY created_at, id LIMIT $3
)
"""
_PATIENCE = "SET LOCAL statement_timeout = '45s'"
"""A job may take longer than a request; a run ends after fifty seconds."""


@dataclass(frozen=True, slots=True)
class ReportJobs:
    """The handler of steps: one in the event's own transaction, and the next one made due in it."""

    reporter: Reporter

    def listen(self, handlers: Handlers) -> None:
        """Hear what is asked of a worker."""
        handlers.on(REPORT_STEP_DUE, name=REPORT, handler=self.take_step, given_up=self.give_up)

    async def take_step(self, event: Event) -> None:
        """Take the step that the event names."""
        await current_transaction().execute(_PATIENCE)
        await self.reporter.advance(_report_id(event), step=int(str(event.payload["step"])))

    async def give_up(self, event: Event) -> None:
        """Tell who waits for the report that it will not come."""
        await fail_report(_report_id(event), ReportNotReady("reports.given_up"), clock=self.reporter.clock)


async def purge_reports(*, clock: Clock) -> int:
    """Remove at most twenty of the tenant's reports that were asked for longer ago than they are kept; how many."""
    return await current_transaction().execute(_PURGE, current_tenant_id(), clock.now() - KEPT, _AT_ONCE)


def _report_id(event: Event) -> UUID:
    return UUID(str(event.payload["report_id"]))
