"""Tables of the onboarding room."""

from __future__ import annotations

from uuid import UUID

from tortoise import fields
from tortoise.models import Model


class SignUpKey(Model):
    """The idempotency record of a company's sign-up: it happens before there is a tenant to keep it in."""

    key = fields.CharField(max_length=100, primary_key=True)
    body_hash = fields.BinaryField()
    tenant_id: UUID = fields.UUIDField()
    account_id: UUID = fields.UUIDField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "sign_up_key"
        schema = "platform"
