"""Tables of the audit room: entries, written with what they tell of, and the links that chain them."""

from __future__ import annotations

from uuid import UUID

from tortoise import fields

from tenants.models import TenantMeta, TenantModel


class AuditEntry(TenantModel):
    """Who did what to what, when, why and from where. Never changed, never deleted.

    `changes` maps a field to [before, after], or to null where it was read. `xid` is the number of the writing
    transaction, filled in by the database: the chainer orders by it.
    """

    xid = fields.BigIntField()
    at = fields.DatetimeField()
    account_id: UUID = fields.UUIDField()
    employee_id: UUID | None = fields.UUIDField(null=True)
    session_id: UUID | None = fields.UUIDField(null=True)
    client = fields.CharField(max_length=40)
    address = fields.CharField(max_length=64)
    request_id = fields.CharField(max_length=64)
    action = fields.CharField(max_length=80)
    object_type = fields.CharField(max_length=60)
    object_id: UUID | None = fields.UUIDField(null=True)
    changes: dict[str, list[object] | None] = fields.JSONField(default=dict)
    reason = fields.TextField()
    outcome = fields.CharField(max_length=20)

    class Meta(TenantMeta):
        table = "audit_entry"


class AuditLink(TenantModel):
    """One entry's place in its company's chain; `id` is the entry's id, the key is (tenant_id, seq).

    There is no foreign key to the entry on purpose: each link would lock and rewrite the entry's row, and what the
    key would promise, `saas.audit.verify` proves, also against a superuser.
    """

    seq = fields.BigIntField()
    xid = fields.BigIntField()
    previous = fields.BinaryField()
    hash = fields.BinaryField()
    linked_at = fields.DatetimeField()

    class Meta(TenantMeta):
        table = "audit_link"
