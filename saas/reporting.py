"""Which reports a job can reckon, and for whom its steps act: whoever asked, with the rights of this moment.

A right that is taken away while a report runs is gone for its next page.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from saas.access import AccessTables
from saas.analytics import BehaviourReportKind
from saas.circulation import DeclineDryRunReport
from saas.customers import DryRunReport
from saas.identity import get_live_membership
from saas.kernel import Actor, Clock
from saas.reports import Presence, Reporter, ReportJobs, ReportKind
from saas.sales import find_activity
from tenants import Database, DatabaseRole, get_tenant_facts

REPORT_KINDS: tuple[ReportKind, ...] = (DryRunReport(find_activity), DeclineDryRunReport(), BehaviourReportKind())
"""Each room with reports that take longer than a request gives its kind here."""


@dataclass(frozen=True, slots=True)
class ReportContexts:
    """Who asked, as they are now; call it in the step's transaction."""

    database: Database
    access: AccessTables
    clock: Clock

    async def __call__(self, actor: Actor) -> Presence | None:
        """The person as they are now; None where they are no member of the company any more."""
        now = self.clock.now()
        async with self.database.transaction(actor.tenant_id, role=DatabaseRole.PLATFORM):
            member = await get_live_membership(account_id=actor.account_id, tenant_id=actor.tenant_id, now=now)
            if member is None:
                return None
            facts = await get_tenant_facts()
        present = replace(actor, employee_id=member.employee_id, roles=frozenset(member.roles))
        access = await self.access.table(present, version=facts.version)
        return Presence(present, access, facts.time_zone, facts.currency)


def report_jobs(database: Database, access: AccessTables, clock: Clock) -> ReportJobs:
    """What hears of the steps of reports."""
    return ReportJobs(Reporter(REPORT_KINDS, ReportContexts(database, access, clock), clock))
