from tortoise.migrations import operations as ops
from tortoise import fields

from tenants.schema import RoomMigration, TenantCheck, TenantForeignKey, TenantIndex


class Migration(RoomMigration):
    dependencies = [("people", "0001_people")]

    initial = False

    operations = [
        ops.AddField(
            model_name="Employee",
            name="manager_id",
            field=fields.UUIDField(null=True),
        ),
        TenantForeignKey("employee", "manager_id", "employee"),
        TenantCheck("employee", "employee_not_own_manager", "manager_id <> id"),
        TenantIndex("employee", "employee_manager", "manager_id, name_key, id"),
    ]
