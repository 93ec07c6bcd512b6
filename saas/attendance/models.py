"""Tables of the attendance room."""

from __future__ import annotations

from tortoise import fields

from tenants import TenantMeta, TenantModel


class AttendanceDayCount(TenantModel):
    """Days of one kind that a person had in a month at one employment: worked, or absent in some way."""

    employment_id = fields.UUIDField()
    month = fields.CharField(max_length=7)
    kind = fields.CharField(max_length=20)
    days = fields.DecimalField(max_digits=5, decimal_places=2)
    known_at = fields.DatetimeField()

    class Meta(TenantMeta):
        table = "attendance_day_count"
