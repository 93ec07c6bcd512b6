"""By which earlier version of a pool's settings a customer goes back, where a change did not reach it (P27)."""

from tortoise import fields
from tortoise.migrations import operations as ops

from tenants.schema import RoomMigration


class Migration(RoomMigration):
    dependencies = [("customers", "0012_ownership_requests")]

    initial = False

    operations = [
        ops.AddField(model_name="Customer", name="earlier_version", field=fields.IntField(null=True)),
    ]
