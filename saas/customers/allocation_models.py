"""Tables of what people bring into allocations; `models` has them too, where the ORM looks for a room's tables."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from tortoise import fields

from tenants import TenantMeta, TenantModel


class EmployeeTrait(TenantModel):
    """What a person is there for: customers of a territory, an industry, a source or a level (P43)."""

    employee_id = fields.UUIDField()
    kind = fields.CharField(max_length=10)
    value = fields.CharField(max_length=100)

    class Meta(TenantMeta):
        table = "employee_trait"


class AllocationCredit(TenantModel):
    """Customers that no longer count as assigned to a person in a pool, credited back with a reason (P45, P47)."""

    pool_id = fields.UUIDField()
    employee_id = fields.UUIDField()
    customer_id: UUID | None = fields.UUIDField(null=True)
    customers = fields.IntField()
    kind = fields.CharField(max_length=10)
    reason = fields.CharField(max_length=200)
    credited_on = fields.DateField()
    credited_at = fields.DatetimeField()
    credited_by = fields.UUIDField()

    class Meta(TenantMeta):
        table = "allocation_credit"


class PoolArrival(TenantModel):
    """A pool that allocates what arrives by itself (P04): since when an allocation is on its way, null where none is;
    and the last day on which all that waits was tried again.
    """

    pool_id = fields.UUIDField()
    awaited_at: datetime | None = fields.DatetimeField(null=True)
    tried_on: date | None = fields.DateField(null=True)

    class Meta(TenantMeta):
        table = "pool_arrival"


class PoolAlert(TenantModel):
    """That a pool could not allocate what arrived, once per reason and day; the allocation's problems say why."""

    pool_id = fields.UUIDField()
    reason = fields.CharField(max_length=20)
    allocation_id = fields.UUIDField()
    customers = fields.IntField()
    alerted_on = fields.DateField()
    alerted_at = fields.DatetimeField()

    class Meta(TenantMeta):
        table = "pool_alert"
