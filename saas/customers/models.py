"""Tables of the customers room."""

from __future__ import annotations

from uuid import UUID

from tortoise import fields
from tortoise.models import Model

from tenants import TenantMeta, TenantModel, current_tenant_id


class CustomerPool(TenantModel):
    """A pool (公海) and its rules: where customers without an owner wait."""

    name = fields.CharField(max_length=100)
    is_default = fields.BooleanField(default=False, db_default=False)
    claim_limit = fields.IntField(default=10, db_default=10)
    holding_limit = fields.IntField(default=200, db_default=200)
    cooldown_days = fields.IntField(default=7, db_default=7)
    version = fields.IntField(default=1, db_default=1)
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta(TenantMeta):
        table = "customer_pool"


class Customer(TenantModel):
    """A company or person that is sold to: pooled (no owner) or owned (one open ownership)."""

    pool_id = fields.UUIDField()
    name = fields.CharField(max_length=200)
    name_key = fields.CharField(max_length=300)
    match_key = fields.CharField(max_length=400)
    short_name = fields.CharField(max_length=100, null=True)
    industry = fields.CharField(max_length=100, null=True)
    level = fields.CharField(max_length=20, null=True)
    source = fields.CharField(max_length=40, null=True)
    district_code = fields.CharField(max_length=12, null=True)
    district_name = fields.CharField(max_length=100, null=True)
    contact_name = fields.CharField(max_length=100, null=True)
    phone_sealed = fields.BinaryField(null=True)
    phone_masked = fields.CharField(max_length=40, null=True)
    phone_index = fields.BinaryField(null=True)
    status = fields.CharField(max_length=20, default="pooled", db_default="pooled")
    owner_id = fields.UUIDField(null=True)
    owner_department_id = fields.UUIDField(null=True)
    received_on = fields.DateField(null=True)
    last_follow_up_at = fields.DatetimeField(null=True)
    external_system = fields.CharField(max_length=40, null=True)
    external_key = fields.CharField(max_length=100, null=True)
    version = fields.IntField(default=1, db_default=1)
    created_at = fields.DatetimeField()

    class Meta(TenantMeta):
        table = "customer"


class Ownership(TenantModel):
    """One holding of a customer by one owner; at most one is open per customer."""

    customer_id = fields.UUIDField()
    owner_id = fields.UUIDField()
    owner_department_id = fields.UUIDField()
    pool_id = fields.UUIDField()
    started_at = fields.DatetimeField()
    started_on = fields.DateField()
    ended_at = fields.DatetimeField(null=True)
    ended_on = fields.DateField(null=True)
    start_kind = fields.CharField(max_length=20)
    end_kind = fields.CharField(max_length=20, null=True)
    operator_id = fields.UUIDField()
    reason = fields.CharField(max_length=200, null=True)

    class Meta(TenantMeta):
        table = "ownership"


class ClaimCount(Model):
    """Claim events of one person from one pool on one day of the tenant's calendar; never given back.

    The primary key is (tenant_id, pool_id, employee_id, counted_on); the ORM is told of one column of it.
    """

    tenant_id: UUID = fields.UUIDField(default=current_tenant_id)
    pool_id = fields.UUIDField()
    employee_id = fields.UUIDField(primary_key=True)
    counted_on = fields.DateField()
    claims = fields.IntField()

    class Meta(TenantMeta):
        table = "claim_count"


class RefusedCheckCount(Model):
    """How often the duplicate check refused one person on one day of the tenant's calendar.

    The primary key is (tenant_id, account_id, counted_on); the ORM is told of one column of it.
    """

    tenant_id: UUID = fields.UUIDField(default=current_tenant_id)
    account_id = fields.UUIDField(primary_key=True)
    counted_on = fields.DateField()
    refusals = fields.IntField()

    class Meta(TenantMeta):
        table = "refused_check_count"
