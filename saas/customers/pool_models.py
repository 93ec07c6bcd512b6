"""Tables of who decides about a pool."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.models import Model

from tenants import TenantMeta, TenantModel, current_tenant_id


class PoolAdministrator(Model):
    """A person who administers a pool; one without any is administered by whoever may assign (P01).

    The primary key is (tenant_id, pool_id, employee_id); the ORM is told of one column of it.
    """

    tenant_id: UUID = fields.UUIDField(default=current_tenant_id)
    pool_id = fields.UUIDField()
    employee_id = fields.UUIDField(primary_key=True)

    class Meta(TenantMeta):
        table = "pool_administrator"


class PoolProposal(TenantModel):
    """A change of a pool's settings that was proposed, and what a second person decided (P49, L28).

    `settings` are those that would change, by name; `settings_version` is the newest there was, `approved_version` the
    one that was made of it. `proposed_by` and `decided_by` are accounts, `proposer_id` and `decider_id` their people on
    the staff. `decided_at` is when it was closed, in whatever way.
    """

    pool_id = fields.UUIDField()
    state = fields.CharField(max_length=10)
    settings: dict[str, Any] = fields.JSONField()
    valid_from: date | None = fields.DateField(null=True)
    settings_version = fields.IntField()
    reason = fields.CharField(max_length=200)
    proposed_by = fields.UUIDField()
    proposer_id: UUID | None = fields.UUIDField(null=True)
    proposed_at = fields.DatetimeField()
    proposed_on = fields.DateField()
    decided_at: datetime | None = fields.DatetimeField(null=True)
    decided_by: UUID | None = fields.UUIDField(null=True)
    decider_id: UUID | None = fields.UUIDField(null=True)
    decision_reason = fields.CharField(max_length=200, null=True)
    approved_version: int | None = fields.IntField(null=True)

    class Meta(TenantMeta):
        table = "pool_proposal"
