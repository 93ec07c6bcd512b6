"""What the clocks of falling performance and of a contract's end count from, and by which level recycling counts."""

from tortoise import fields
from tortoise.migrations import operations as ops

from tenants.schema import RoomMigration


class Migration(RoomMigration):
    dependencies = [("customers", "0007_limits")]

    initial = False

    operations = [
        ops.AddField(model_name="Customer", name="contract_ends_on", field=fields.DateField(null=True)),
        ops.AddField(model_name="Customer", name="declined_on", field=fields.DateField(null=True)),
        ops.AddField(model_name="Customer", name="counted_level", field=fields.CharField(null=True, max_length=20)),
        ops.AddField(
            model_name="Customer",
            name="level_raised_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
    ]
