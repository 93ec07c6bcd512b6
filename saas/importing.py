"""What can be imported, and for whom an import's steps act: whoever asked for it, with the rights of this moment.

A batch may wait for days between upload and commit; a right that was taken away meanwhile is gone for its steps too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from saas.access import AccessTables
from saas.attendance import AttendanceImport
from saas.customers import CustomerImport, OwnershipImport
from saas.exchange import ImportContext, ImportKind, PersonGone
from saas.extensions import PluginHost, TenantPlugins, enabled_plugins
from saas.identity import get_live_membership
from saas.kernel import Actor, Clock, local_date
from saas.payroll import SalaryImport, find_frozen_days
from saas.people import EmployeeImport
from saas.sales import (
    CollectionImport,
    CreditImport,
    DealImport,
    FollowUpImport,
    OpportunityImport,
    TargetImport,
)
from saas.sealing import Sealer
from tenants import Database, DatabaseRole, get_tenant_facts

IMPORT_KINDS: tuple[ImportKind, ...] = (
    EmployeeImport(),
    CustomerImport(),
    OwnershipImport(),
    FollowUpImport(),
    OpportunityImport(),
    DealImport(),
    CollectionImport(),
    CreditImport(),
    TargetImport(),
    SalaryImport(),
    AttendanceImport(frozen=find_frozen_days),
)
"""Each room with rows that companies bring along gives its kind here."""


@dataclass(frozen=True, slots=True)
class ImportContexts:
    """Makes the context of a step; call it in the step's transaction."""

    database: Database
    access: AccessTables
    sealer: Sealer
    host: PluginHost
    clock: Clock

    async def __call__(self, actor: Actor) -> ImportContext:
        """The person as they are now.

        :raises PersonGone: the person is no member of the company any more.
        """
        now = self.clock.now()
        async with self.database.transaction(actor.tenant_id, role=DatabaseRole.PLATFORM):
            member = await get_live_membership(account_id=actor.account_id, tenant_id=actor.tenant_id, now=now)
            if member is None:
                raise PersonGone
            facts = await get_tenant_facts()
            plugins = await enabled_plugins(self.host, on=local_date(now, facts.time_zone))
        present = replace(actor, employee_id=member.employee_id, roles=frozenset(member.roles))
        return ImportContext(
            actor=present,
            access=await self.access.table(present, version=facts.version),
            clock=self.clock,
            time_zone=facts.time_zone,
            keyring=await self.sealer.keyring(actor.tenant_id),
            currency=facts.currency,
            services={PluginHost: self.host, TenantPlugins: plugins},
        )
