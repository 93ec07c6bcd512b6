from tortoise.migrations import operations as ops
from orjson import loads
from saas.kernel.ids import new_id
from tenants.database import current_tenant_id
from tortoise.fields.data import JSON_DUMPS
from tortoise import fields

from tenants.schema import RoomMigration, TenantCheck, TenantIndex, TenantTable


class Migration(RoomMigration):
    initial = True

    operations = [
        ops.CreateModel(
            name="PluginSetting",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("plugin", fields.CharField(max_length=40)),
                ("enabled", fields.BooleanField()),
                ("settings", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("valid_from", fields.DateField()),
                ("valid_to", fields.DateField(null=True)),
                ("version", fields.IntField()),
                ("changed_by", fields.UUIDField()),
                ("reason", fields.CharField(max_length=500)),
                ("known_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("superseded_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "plugin_setting",
                "app": "extensions",
                "pk_attr": "id",
                "table_description": "What a company set for a plugin, from when to when (half-open days).",
            },
            bases=["TenantModel"],
        ),
        TenantTable("plugin_setting", grants="SELECT, INSERT, UPDATE"),
        TenantCheck("plugin_setting", "plugin_setting_period", "valid_to IS NULL OR valid_to > valid_from"),
        TenantIndex("plugin_setting", "plugin_setting_version", "plugin, version", unique=True),
        TenantIndex(
            "plugin_setting", "plugin_setting_start", "plugin, valid_from", unique=True, where="superseded_at IS NULL"
        ),
        TenantIndex(
            "plugin_setting",
            "plugin_setting_open",
            "plugin",
            unique=True,
            where="superseded_at IS NULL AND valid_to IS NULL",
        ),
    ]
