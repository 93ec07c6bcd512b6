from tortoise import fields
from tortoise.migrations import operations as ops

from tenants.schema import RoomMigration


class Migration(RoomMigration):
    dependencies = [("payroll", "0002_runs")]

    operations = [
        ops.AddField(
            model_name="PayrollRun",
            name="computes_at_once",
            field=fields.BooleanField(default=False, db_default=False),
        ),
        ops.AddField(
            model_name="PayrollRun",
            name="takes_open_settlements",
            field=fields.BooleanField(default=False, db_default=False),
        ),
    ]
