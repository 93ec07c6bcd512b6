"""Tables of the tenancy room, and the base every tenant table inherits."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.manager import Manager
from tortoise.models import Model
from tortoise.queryset import QuerySet

from saas.kernel import new_id
from tenants.database import current_tenant_id


class ScopedManager(Manager):
    """Names the tenant in every query of the ORM: the second belt beside row-level security."""

    def get_queryset(self) -> QuerySet[Any]:
        return QuerySet(self._model).filter(tenant_id=current_tenant_id())


class _ManagerPerModel:
    """Gives each model a manager of its own: Tortoise writes the model into the manager it finds in Meta, so a
    shared instance would query the last model declared."""

    def __get__(self, instance: object, owner: type) -> ScopedManager:
        return ScopedManager()


class TenantMeta:
    """The Meta of every tenant model; without it the scoped manager is silently lost (a test looks)."""

    manager = _ManagerPerModel()


class TenantModel(Model):
    """A row that belongs to a tenant. Inherit the base *and* the Meta: ``class Meta(TenantMeta)``."""

    id: UUID = fields.UUIDField(primary_key=True, default=new_id)
    tenant_id: UUID = fields.UUIDField(default=current_tenant_id)

    class Meta(TenantMeta):
        abstract = True


class Tenant(Model):
    """A company in the directory.

    `version` rises with every change that a session must notice: status, policy, enabled plugins. `currency` is the
    one of all its amounts and never changes.
    """

    id: UUID = fields.UUIDField(primary_key=True, default=new_id)
    name = fields.CharField(max_length=200)
    status = fields.CharField(max_length=20, db_default="active", default="active")
    time_zone = fields.CharField(max_length=64, db_default="Asia/Shanghai", default="Asia/Shanghai")
    locale = fields.CharField(max_length=10, db_default="zh-CN", default="zh-CN")
    currency = fields.CharField(max_length=3, db_default="CNY", default="CNY")
    preset = fields.CharField(max_length=50)
    version = fields.BigIntField(db_default=1, default=1)
    quotas: dict[str, int] = fields.JSONField(default=dict)
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "tenant"
        schema = "platform"


class TenantEvent(Model):
    """A step in a company's life: what an operator, or its own sign-up, did to it and why. Append-only."""

    id: UUID = fields.UUIDField(primary_key=True, default=new_id)
    tenant_id: UUID = fields.UUIDField()
    at = fields.DatetimeField()
    step = fields.CharField(max_length=20)
    operator = fields.CharField(max_length=100)
    reason = fields.CharField(max_length=500)

    class Meta:
        table = "tenant_event"
        schema = "platform"
