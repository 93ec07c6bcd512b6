"""Plans of many customers are made by a job, and given by one: an allocation is there before its plan is."""

from tortoise import fields
from tortoise.fields.data import JSON_DUMPS
from tortoise.migrations import operations as ops
from orjson import loads

from tenants.schema import RoomMigration, TenantCheck, TenantIndex, one_of

_PLANNED = ("allocated_on", "settings_version", "roster", "plan_hash", "customers")


class Migration(RoomMigration):
    dependencies = [("customers", "0003_pool_rules")]

    operations = [
        ops.AddField(
            model_name="PoolAllocation",
            name="wish",
            field=fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads),
        ),
        ops.AddField(
            model_name="PoolAllocation",
            name="commit_order",
            field=fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads),
        ),
        ops.AddField(
            model_name="PoolAllocation",
            name="problems",
            field=fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads),
        ),
        ops.AlterField(model_name="PoolAllocation", name="allocated_on", field=fields.DateField(null=True)),
        ops.AlterField(model_name="PoolAllocation", name="settings_version", field=fields.IntField(null=True)),
        ops.AlterField(
            model_name="PoolAllocation",
            name="roster",
            field=fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads),
        ),
        ops.AlterField(model_name="PoolAllocation", name="plan_hash", field=fields.CharField(null=True, max_length=64)),
        ops.AlterField(model_name="PoolAllocation", name="customers", field=fields.IntField(null=True)),
        ops.RunSQL(
            "ALTER TABLE pool_allocation DROP CONSTRAINT pool_allocation_state",
            reverse_sql="ALTER TABLE pool_allocation ADD CONSTRAINT pool_allocation_state CHECK ("
            + one_of("state", "planned", "committed", "cancelled")
            + ")",
        ),
        TenantCheck(
            "pool_allocation",
            "pool_allocation_state",
            one_of("state", "planning", "planned", "committing", "committed", "failed", "cancelled"),
        ),
        TenantCheck(
            "pool_allocation",
            "pool_allocation_planned",
            one_of("state", "planning", "failed", "cancelled")
            + " OR ("
            + " AND ".join(f"{column} IS NOT NULL" for column in _PLANNED)
            + ")",
        ),
        TenantCheck(
            "pool_allocation", "pool_allocation_ordered", "(state = 'committing') = (commit_order IS NOT NULL)"
        ),
        TenantIndex(
            "pool_allocation", "pool_allocation_committing", "pool_id", unique=True, where="state = 'committing'"
        ),
    ]
