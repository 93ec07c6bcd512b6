from tortoise.migrations import operations as ops
from tortoise import fields

from tenants.schema import RoomMigration, TenantCheck


class Migration(RoomMigration):
    dependencies = [("sales", "0002_deals")]

    operations = [
        ops.AddField(
            model_name="FollowUp",
            name="call_seconds",
            field=fields.IntField(null=True),
        ),
        ops.AddField(
            model_name="FollowUp",
            name="has_check_in",
            field=fields.BooleanField(default=False, db_default=False),
        ),
        TenantCheck("follow_up", "follow_up_call_seconds", "call_seconds >= 0"),
    ]
