"""The ledger's lines are bound to the audit trail and have an order; views of the pool are counted (P52)."""

from tenants.database import current_tenant_id
from tenants.schema import RoomMigration, TenantForeignKey, TenantIndex, TenantTable
from tortoise import fields
from tortoise.migrations import operations as ops

_TABLES = ("pool_event", "audit_entry")
_NOBODY = "00000000-0000-0000-0000-000000000000"
_UUID7 = (
    "(lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '7'"
    " || substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15))::uuid"
)


class Migration(RoomMigration):
    dependencies = [("customers", "0009_allocation_methods"), ("audit", "0001_audit")]

    operations = [
        ops.CreateModel(
            name="PoolViewCount",
            fields=[
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("pool_id", fields.UUIDField()),
                ("account_id", fields.UUIDField(primary_key=True, unique=True, db_index=True)),
                ("counted_on", fields.DateField()),
                ("views", fields.IntField()),
                ("most", fields.IntField(null=True)),
            ],
            options={
                "table": "pool_view_count",
                "app": "customers",
                "pk_attr": "account_id",
                "table_description": "How many customers of a pool one person opened by id on one day of the tenant's calendar, and the limit then.",
            },
            bases=["Model"],
        ),
        TenantTable("pool_view_count", key=("pool_id", "account_id", "counted_on")),
        TenantForeignKey("pool_view_count", "pool_id", "customer_pool"),
        ops.AddField(model_name="PoolEvent", name="xid", field=fields.BigIntField(null=True)),
        ops.RunSQL(
            "ALTER TABLE pool_event ALTER COLUMN xid SET DEFAULT (pg_current_xact_id()::text::bigint)",
            reverse_sql=ops.RunSQL.noop,
        ),
        TenantIndex("pool_event", "pool_event_written", "xid, id"),
        # Lines from before are bound by nothing: each company's trail says how many there are, and from when on all are.
        ops.RunSQL(
            [
                *(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY" for table in _TABLES),
                f"""
                INSERT INTO audit_entry (tenant_id, id, at, account_id, client, address, request_id, action,
                    object_type, changes, reason, outcome)
                SELECT tenant_id, {_UUID7}, now(), '{_NOBODY}', 'migration', '', '', 'pool_ledger.begun', 'PoolEvent',
                    jsonb_build_object('unbound', jsonb_build_array(NULL, count(*))), '', 'done'
                FROM pool_event GROUP BY tenant_id
                """,
                *(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY" for table in _TABLES),
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]
