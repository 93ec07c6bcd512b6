"""Tables of what people bring into allocations; `models` has them too, where the ORM looks for a room's tables."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from tortoise import fields
from tortoise.models import Model

from tenants import TenantMeta, TenantModel, current_tenant_id


class EmployeeTrait(TenantModel):
    """What a person is there for: customers of a territory, an industry, a source or a level (P43).
    Or customers who speak a language, need a skill or want a product.
    """

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


class LeaveShare(Model):
    """What a person missed on leave of a pool's allocations on a day, in customers, and what was made up for (P46).

    The primary key is (tenant_id, pool_id, employee_id, counted_on); the ORM is told of one column of it.
    """

    tenant_id: UUID = fields.UUIDField(default=current_tenant_id)
    pool_id = fields.UUIDField()
    employee_id = fields.UUIDField(primary_key=True)
    counted_on = fields.DateField()
    missed: Decimal = fields.DecimalField(max_digits=30, decimal_places=18, default=0, db_default=0)
    made_up = fields.IntField(default=0, db_default=0)

    class Meta(TenantMeta):
        table = "leave_share"
