"""A company's life in the directory: created, suspended, resumed, listed. All in platform transactions.

Each step is kept as an event with the operator's name and reason; the company's version rises, so its sessions
notice with their next request.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

import orjson

from saas.kernel import Clock, new_id
from tenants.currencies import DEFAULT_CURRENCY, check_currency
from tenants.database import current_transaction
from tenants.errors import TenantNameMalformed, TenantNotFound, TenantStateUnchanged
from tenants.presets import Preset

PAGE_MAX = 100
_NAME_MAX = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class TenantStatus(Enum):
    """Whether the company's people may work."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


class LifecycleStep(Enum):
    """What happened to the company."""

    CREATED = "created"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    EXPORTED = "exported"


@dataclass(frozen=True, slots=True)
class TenantSummary:
    """A company of the directory, as operators see it."""

    id: UUID
    name: str
    status: TenantStatus
    preset: str
    time_zone: str
    locale: str
    version: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class TenantFacts:
    """What the bound company's own people may know of its directory entry; `currency` is an ISO 4217 code."""

    name: str
    time_zone: str
    currency: str
    locale: str
    preset: str
    version: int


_INSERT = """
INSERT INTO platform.tenant (id, name, time_zone, locale, preset, quotas, created_at, currency)
VALUES ($1, $2, $3, $4, $5, $6::text::jsonb, $7, $8)
"""
_EVENT = "INSERT INTO platform.tenant_event (id, tenant_id, at, step, operator, reason) VALUES ($1, $2, $3, $4, $5, $6)"
_SET_STATUS = """
UPDATE platform.tenant SET status = $2, version = version + 1 WHERE id = $1 AND status <> $2
RETURNING version
"""
_COLUMNS = "id, name, status, preset, time_zone, locale, version, created_at"
_LIST = f"SELECT {_COLUMNS} FROM platform.tenant WHERE ($1::uuid IS NULL OR id > $1) ORDER BY id LIMIT $2"
_GET = f"SELECT {_COLUMNS} FROM platform.tenant WHERE id = $1"
_FACTS = "SELECT name, time_zone, currency, locale, preset, version FROM platform.tenant_facts()"
_RAISE_VERSION = "UPDATE platform.tenant SET version = version + 1 WHERE id = $1"


async def create_tenant(
    *, name: str, preset: Preset, operator: str, clock: Clock, currency: str = DEFAULT_CURRENCY
) -> UUID:
    """Enter a company into the directory and bind the transaction to it. Its currency can't be changed afterwards.

    :raises CurrencyUnknown: it is no code of ISO 4217.
    :raises TenantNameMalformed: 1 to 200 characters are needed, none of them control characters.
    """
    name = name.strip()
    if not 1 <= len(name) <= _NAME_MAX or _CONTROL.search(name):
        raise TenantNameMalformed(longest=_NAME_MAX)
    transaction, tenant_id = current_transaction(), new_id()
    quotas = orjson.dumps({kind.value: limit for kind, limit in preset.quotas.items()}).decode()
    values = (name, preset.time_zone, preset.locale, preset.name, quotas, clock.now(), check_currency(currency))
    await transaction.execute(_INSERT, tenant_id, *values)
    await transaction.bind_tenant(tenant_id)
    await note_step(tenant_id, LifecycleStep.CREATED, operator=operator, reason="", clock=clock)
    return tenant_id


async def suspend_tenant(tenant_id: UUID, *, operator: str, reason: str, clock: Clock) -> None:
    """Stop a company: its sessions end with their next request, nobody signs in, its data stays.

    :raises TenantNotFound: no such company.
    :raises TenantStateUnchanged: it is suspended already.
    """
    await _set_status(tenant_id, TenantStatus.SUSPENDED)
    await note_step(tenant_id, LifecycleStep.SUSPENDED, operator=operator, reason=reason, clock=clock)


async def resume_tenant(tenant_id: UUID, *, operator: str, reason: str, clock: Clock) -> None:
    """Let a suspended company work again; sessions that have not expired are good again.

    :raises TenantNotFound: no such company.
    :raises TenantStateUnchanged: it is active.
    """
    await _set_status(tenant_id, TenantStatus.ACTIVE)
    await note_step(tenant_id, LifecycleStep.RESUMED, operator=operator, reason=reason, clock=clock)


async def _set_status(tenant_id: UUID, status: TenantStatus) -> None:
    if await current_transaction().fetchval(_SET_STATUS, tenant_id, status.value) is None:
        await get_tenant(tenant_id)
        raise TenantStateUnchanged(status.value)


async def note_step(tenant_id: UUID, step: LifecycleStep, *, operator: str, reason: str, clock: Clock) -> None:
    """Keep what was done to the company, by whom and why; the table can't be changed afterwards."""
    await current_transaction().execute(_EVENT, new_id(), tenant_id, clock.now(), step.value, operator, reason)


async def raise_version(tenant_id: UUID) -> None:
    """Tell every session of the company that its policy, plugins or settings changed."""
    await current_transaction().execute(_RAISE_VERSION, tenant_id)


async def get_tenant(tenant_id: UUID) -> TenantSummary:
    """One company of the directory.

    :raises TenantNotFound: no such company.
    """
    row = await current_transaction().fetchrow(_GET, tenant_id)
    if row is None:
        raise TenantNotFound(tenant_id)
    return TenantSummary(**{**row, "status": TenantStatus(row["status"])})


async def list_tenants(*, after: UUID | None = None, first: int = PAGE_MAX) -> tuple[TenantSummary, ...]:
    """The directory in order of creation, a page of at most 100 after the company `after`."""
    rows = await current_transaction().fetch(_LIST, after, min(first, PAGE_MAX))
    return tuple(TenantSummary(**{**row, "status": TenantStatus(row["status"])}) for row in rows)


async def get_tenant_facts() -> TenantFacts:
    """The bound company's entry, in a transaction of either role.

    :raises TenantNotFound: no company is bound, or the bound one is none.
    """
    transaction = current_transaction()
    row = await transaction.fetchrow(_FACTS)
    if row is None:
        raise TenantNotFound(transaction.tenant_id or UUID(int=0))
    return TenantFacts(**row)
