"""Tables of the jobs room: when each periodic job runs next."""

from __future__ import annotations

from datetime import datetime

from tortoise import fields
from tortoise.models import Model


class PeriodicJobState(Model):
    """One periodic job of the installation: what survives all workers being down, so that missed runs are caught up.

    `claimed_until` is set while a worker runs it; past that instant another worker may.
    """

    name = fields.CharField(max_length=100, primary_key=True)
    due_at = fields.DatetimeField()
    claimed_until: datetime | None = fields.DatetimeField(null=True)
    started_at: datetime | None = fields.DatetimeField(null=True)
    finished_at: datetime | None = fields.DatetimeField(null=True)
    last_error: str | None = fields.TextField(null=True)

    class Meta:
        table = "periodic_job"
        schema = "platform"
