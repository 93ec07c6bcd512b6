"""Tables of the access room: what a company adds to the roles and rights that every company begins with."""

from __future__ import annotations

from uuid import UUID

from tortoise import fields

from tenants.models import TenantMeta, TenantModel


class AccessRole(TenantModel):
    """A role of the company's own. It never changes its parent, so roles can't come to inherit in a circle."""

    name = fields.CharField(max_length=40)
    parent = fields.CharField(max_length=40, null=True)
    created_by: UUID = fields.UUIDField()
    created_at = fields.DatetimeField()

    class Meta(TenantMeta):
        table = "access_role"


class AccessRule(TenantModel):
    """A line of the company's own policy; taking it back deletes it, and the trail remembers both."""

    role = fields.CharField(max_length=40)
    action = fields.CharField(max_length=10)
    object = fields.CharField(max_length=120)
    effect = fields.CharField(max_length=5)
    scope = fields.CharField(max_length=40)
    reason = fields.TextField()
    created_by: UUID = fields.UUIDField()
    created_at = fields.DatetimeField()

    class Meta(TenantMeta):
        table = "access_rule"
