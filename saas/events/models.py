"""Tables of the events room: the outbox and the idempotency records."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.models import Model

from tenants import TenantMeta, TenantModel, current_tenant_id


class OutboxEvent(TenantModel):
    """Something that happened and has to be told on.

    `due_at` is the instant from which the relay (again) hands it to a worker: the emitter's wish at first, the end
    of the lease while a worker has it, the next try after a failure, NULL once it is done or dead. `attempts`
    counts the runs begun and fences them: only the run that made it what it is may finish the event.
    """

    topic = fields.CharField(max_length=100)
    handler = fields.CharField(max_length=100, null=True)
    payload: dict[str, Any] = fields.JSONField()
    due_at: datetime | None = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()
    sent_at: datetime | None = fields.DatetimeField(null=True)
    done_at: datetime | None = fields.DatetimeField(null=True)
    attempts = fields.IntField(default=0, db_default=0)
    last_error: str | None = fields.TextField(null=True)
    dead_at: datetime | None = fields.DatetimeField(null=True)

    class Meta(TenantMeta):
        table = "outbox"


class IdempotencyRecord(Model):
    """The outcome of a call, by the key its client gave; the primary key is (tenant_id, client, key)."""

    tenant_id: UUID = fields.UUIDField(default=current_tenant_id)
    client = fields.CharField(max_length=120)
    key = fields.CharField(max_length=100, primary_key=True)
    operation = fields.CharField(max_length=100)
    body_hash = fields.BinaryField()
    outcome: dict[str, Any] = fields.JSONField()
    created_at = fields.DatetimeField()

    class Meta(TenantMeta):
        table = "idempotency"
