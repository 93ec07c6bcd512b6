"""A run of recycling for each pool, and what finds customers whose due date is by older settings without a scan."""

from tortoise import fields
from tortoise.migrations import operations as ops

from tenants.schema import RoomMigration, TenantForeignKey, TenantIndex


class Migration(RoomMigration):
    dependencies = [("customers", "0010_bound_ledger")]

    operations = [
        ops.AddField(model_name="RecycleRun", name="pool_id", field=fields.UUIDField(null=True)),
        ops.AddField(model_name="RecycleRun", name="missed_days", field=fields.IntField(default=0, db_default=0)),
        ops.AddField(model_name="RecycleRun", name="reckoned", field=fields.IntField(default=0, db_default=0)),
        ops.RunSQL(
            "DROP INDEX recycle_run_day",
            reverse_sql="CREATE UNIQUE INDEX recycle_run_day ON recycle_run (tenant_id, ran_on)",
        ),
        TenantForeignKey("recycle_run", "pool_id", "customer_pool"),
        TenantIndex("recycle_run", "recycle_run_of_pool", "pool_id, ran_on", unique=True),
        TenantIndex(
            "customer",
            "customer_reckoned",
            "pool_id, (CASE WHEN settings_version IS NULL THEN 0 ELSE settings_version END), id",
            where="owner_id IS NOT NULL",
        ),
    ]
