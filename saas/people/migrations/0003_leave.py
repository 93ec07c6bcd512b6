"""Leave by day (请假)."""

from tortoise import fields
from tortoise.migrations import operations as ops
from saas.kernel.ids import new_id
from tenants.database import current_tenant_id

from tenants.schema import RoomMigration, TenantCheck, TenantForeignKey, TenantIndex, TenantTable


class Migration(RoomMigration):
    dependencies = [("people", "0002_manager")]

    initial = False

    operations = [
        ops.CreateModel(
            name="EmployeeLeave",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("employee_id", fields.UUIDField()),
                ("first_on", fields.DateField()),
                ("last_on", fields.DateField()),
                ("kind", fields.CharField(max_length=20)),
                ("entered_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("cancelled_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "employee_leave",
                "app": "people",
                "pk_attr": "id",
                "table_description": "Whole days on which a person is away, both ends counted; `kind` is a word of the company's.",
            },
            bases=["TenantModel"],
        ),
        TenantTable("employee_leave"),
        TenantForeignKey("employee_leave", "employee_id", "employee"),
        TenantCheck("employee_leave", "employee_leave_days", "last_on >= first_on"),
        TenantIndex("employee_leave", "employee_leave_employee", "employee_id, first_on, id"),
        TenantIndex("employee_leave", "employee_leave_first", "first_on, id"),
        TenantIndex("employee_leave", "employee_leave_last", "last_on, first_on, id"),
        TenantIndex(
            "employee_leave",
            "employee_leave_begins_once",
            "employee_id, first_on",
            unique=True,
            where="cancelled_at IS NULL",
        ),
    ]
