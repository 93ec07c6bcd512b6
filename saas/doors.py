"""What a web process is given beside its rooms: a company's plugins, the audit of reads, limits of views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from saas.audit import OpenedFields, record_reads
from saas.customers import count_pool_views
from saas.extensions import PluginHost, TenantPlugins, enabled_plugins
from saas.kernel import Actor, Clock, local_date
from saas.reads import Opened, Viewed
from tenants import Database, DatabaseRole, get_tenant_facts


@dataclass(frozen=True, slots=True)
class TenantsPlugins:
    """Which plugins a company has switched on, as of its own day; asked once a session and whenever its stamp moves."""

    database: Database
    host: PluginHost
    clock: Clock

    async def enabled(self, tenant_id: UUID) -> TenantPlugins:
        """The enabled plugins and their settings."""
        async with self.database.transaction(tenant_id, role=DatabaseRole.PLATFORM):
            zone = (await get_tenant_facts()).time_zone
            return await enabled_plugins(self.host, on=local_date(self.clock.now(), zone))


@dataclass(frozen=True, slots=True)
class PoolViews:
    """Counts which customers of a pool somebody opened; other types have nothing counted."""

    database: Database
    clock: Clock

    async def __call__(self, actor: Actor, viewed: Sequence[Viewed], today: date) -> None:
        """Count and record in a transaction of its own.

        :raises PoolViewsUsedUp: they are more than the pool allows on a day.
        """
        customer_ids = [each.row_id for each in viewed if each.type_name == "Customer"]
        async with self.database.transaction(actor.tenant_id):
            await count_pool_views(actor, customer_ids=customer_ids, today=today, clock=self.clock)


@dataclass(frozen=True, slots=True)
class ReadsAudit:
    """Writes who opened which sealed values, an entry a row."""

    clock: Clock

    async def __call__(self, actor: Actor, opened_values: Sequence[Opened]) -> None:
        """Record in the open transaction."""
        fields: dict[tuple[str, UUID], list[str]] = {}
        for value in opened_values:
            fields.setdefault((value.type_name, value.row_id), []).append(value.field)
        rows = [OpenedFields(name, row_id, tuple(names)) for (name, row_id), names in fields.items()]
        await record_reads(actor, rows, clock=self.clock)
