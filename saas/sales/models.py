"""Tables of the sales room."""

from __future__ import annotations

from tortoise import fields

from tenants import TenantMeta, TenantModel


class FollowUp(TenantModel):
    """What a person did for a customer: a call, a visit, a meeting, a message, a note."""

    customer_id = fields.UUIDField()
    author_id = fields.UUIDField()
    kind = fields.CharField(max_length=20)
    content = fields.TextField()
    occurred_at = fields.DatetimeField()
    occurred_on = fields.DateField()
    created_at = fields.DatetimeField()

    class Meta(TenantMeta):
        table = "follow_up"
