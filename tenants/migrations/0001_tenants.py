from tortoise.migrations import operations as ops
from orjson import loads
from saas.kernel.ids import new_id
from tortoise.fields.data import JSON_DUMPS
from tortoise import fields

from tenants.schema import PlatformTable, RoomMigration


class Migration(RoomMigration):
    initial = True

    operations = [
        ops.CreateSchema(schema_name="platform"),
        ops.CreateModel(
            name="Tenant",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("name", fields.CharField(max_length=200)),
                ("status", fields.CharField(default="active", db_default="active", max_length=20)),
                ("time_zone", fields.CharField(default="Asia/Shanghai", db_default="Asia/Shanghai", max_length=64)),
                ("locale", fields.CharField(default="zh-CN", db_default="zh-CN", max_length=10)),
                ("preset", fields.CharField(max_length=50)),
                ("version", fields.BigIntField(default=1, db_default=1)),
                ("quotas", fields.JSONField(default=dict, encoder=JSON_DUMPS, decoder=loads)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
            ],
            options={
                "table": "tenant",
                "schema": "platform",
                "app": "tenants",
                "pk_attr": "id",
                "table_description": "A company in the directory.",
            },
            bases=["Model"],
        ),
        PlatformTable("platform.tenant"),
    ]
