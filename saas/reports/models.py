"""Tables of the reports room. All is removed some days after it was asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise import fields

from tenants import TenantMeta, TenantModel


class Report(TenantModel):
    """A report that a worker reckons, with what was wished and by whom.

    `step` rises with every step, so that each is taken once. `at_id` is the last object of the pages that are read,
    `is_read` tells that there is none behind it. `summary` is the result but for its lists.
    """

    kind = fields.CharField(max_length=40)
    state = fields.CharField(max_length=20)
    wish: dict[str, Any] = fields.JSONField()
    account_id = fields.UUIDField()
    actor: dict[str, Any] = fields.JSONField()
    step = fields.IntField(default=0, db_default=0)
    at_id: UUID | None = fields.UUIDField(null=True)
    is_read = fields.BooleanField(default=False, db_default=False)
    done_count = fields.BigIntField(default=0, db_default=0)
    total_count = fields.BigIntField()
    summary: dict[str, Any] | None = fields.JSONField(null=True)
    problem: dict[str, Any] | None = fields.JSONField(null=True)
    created_at = fields.DatetimeField()
    ended_at: datetime | None = fields.DatetimeField(null=True)

    class Meta(TenantMeta):
        table = "report"


class ReportItem(TenantModel):
    """One entry of a list of a report, by its place; while it is reckoned, what its pages came to."""

    report_id = fields.UUIDField()
    list_name = fields.CharField(max_length=20)
    place = fields.IntField()
    content: Any = fields.JSONField()

    class Meta(TenantMeta):
        table = "report_item"
