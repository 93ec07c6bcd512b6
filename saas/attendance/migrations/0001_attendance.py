from tortoise.migrations import operations as ops
from saas.kernel.ids import new_id
from tenants.database import current_tenant_id
from tortoise import fields

from tenants.schema import RoomMigration, TenantCheck, TenantForeignKey, TenantIndex, TenantTable, one_of


class Migration(RoomMigration):
    initial = True

    dependencies = [("people", "0001_people")]

    operations = [
        ops.CreateModel(
            name="AttendanceDayCount",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("employment_id", fields.UUIDField()),
                ("month", fields.CharField(max_length=7)),
                ("kind", fields.CharField(max_length=20)),
                ("days", fields.DecimalField(max_digits=5, decimal_places=2)),
                ("known_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "attendance_day_count",
                "app": "attendance",
                "pk_attr": "id",
                "table_description": "Days of one kind that a person had in a month at one employment: worked, or absent in some way.",
            },
            bases=["TenantModel"],
        ),
        TenantTable("attendance_day_count"),
        TenantForeignKey("attendance_day_count", "employment_id", "employment"),
        TenantCheck(
            "attendance_day_count",
            "attendance_day_count_kind",
            one_of("kind", "worked", "annual_leave", "paid_leave", "sick_leave", "personal_leave", "absent"),
        ),
        TenantCheck("attendance_day_count", "attendance_day_count_days", "days >= 0 AND days <= 31"),
        TenantIndex("attendance_day_count", "attendance_day_count_month", "employment_id, month, kind", unique=True),
    ]
