from tortoise import fields
from tortoise.migrations import operations as ops

from tenants.schema import RoomMigration


class Migration(RoomMigration):
    dependencies = [("payroll", "0003_looked_at_early")]

    operations = [
        ops.AddField(model_name="Payslip", name="amounts_sealed", field=fields.BinaryField(null=True)),
    ]
