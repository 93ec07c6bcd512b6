"""Tables of what stands beside ownerships: marks, requests, notices; the ORM looks for them in `models`."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from tortoise import fields

from tenants import TenantMeta, TenantModel


class HoldingMark(TenantModel):
    """A lock, a protection or an extension of an ownership, from the day it was asked for.

    `until_on` is the last day it holds, null until it is in force. It goes with its ownership: a new owner has none.
    """

    customer_id = fields.UUIDField()
    ownership_id = fields.UUIDField()
    owner_id = fields.UUIDField()
    owner_department_id = fields.UUIDField()
    pool_id = fields.UUIDField()
    kind = fields.CharField(max_length=10)
    state = fields.CharField(max_length=10)
    days = fields.IntField()
    reason = fields.CharField(max_length=200)
    until_on: date | None = fields.DateField(null=True)
    requested_at = fields.DatetimeField()
    requested_on = fields.DateField()
    decided_at: datetime | None = fields.DatetimeField(null=True)
    decided_by: UUID | None = fields.UUIDField(null=True)
    decision_reason = fields.CharField(max_length=200, null=True)
    ended_on: date | None = fields.DateField(null=True)

    class Meta(TenantMeta):
        table = "holding_mark"


class OwnershipRequest(TenantModel):
    """A claim or an assignment that was asked for, and what was decided (P49).

    The customer stays in the pool meanwhile. `employee_id` would own it; `requested_by` is the account that asked,
    `requester_id` its person on the staff. `decided_at` is when it was closed, in whatever way.
    """

    kind = fields.CharField(max_length=10)
    state = fields.CharField(max_length=10)
    pool_id = fields.UUIDField()
    customer_id = fields.UUIDField()
    employee_id = fields.UUIDField()
    employee_department_id = fields.UUIDField()
    requested_by = fields.UUIDField()
    requester_id: UUID | None = fields.UUIDField(null=True)
    reason = fields.CharField(max_length=200)
    requested_at = fields.DatetimeField()
    requested_on = fields.DateField()
    decided_at: datetime | None = fields.DatetimeField(null=True)
    decided_by: UUID | None = fields.UUIDField(null=True)
    decision_reason = fields.CharField(max_length=200, null=True)

    class Meta(TenantMeta):
        table = "ownership_request"


class PoolNotice(TenantModel):
    """A warning before recycling, once per reminder and ownership, or a day that recycling waited for one.

    `days` is the reminder, in days before; `start_on` is where the clock began that the warning is of.
    """

    pool_id = fields.UUIDField()
    customer_id = fields.UUIDField()
    ownership_id = fields.UUIDField()
    owner_id = fields.UUIDField()
    owner_department_id = fields.UUIDField()
    kind = fields.CharField(max_length=20)
    rule = fields.CharField(max_length=20)
    start_on = fields.DateField()
    due_on = fields.DateField()
    days = fields.IntField(null=True)
    noticed_on = fields.DateField()
    noticed_at = fields.DatetimeField()
    delivered_at: datetime | None = fields.DatetimeField(null=True)

    class Meta(TenantMeta):
        table = "pool_notice"
