"""What arrives is allocated by itself (P04), with alerts; what overflows thresholds goes to an assignee (P13)."""

from tortoise import fields
from tortoise.migrations import operations as ops
from saas.kernel.ids import new_id
from tenants.database import current_tenant_id

from tenants.schema import APPEND_ONLY, RoomMigration, TenantCheck, TenantForeignKey, TenantIndex, TenantTable, one_of


class Migration(RoomMigration):
    dependencies = [("customers", "0014_proposals_and_administrators")]

    operations = [
        ops.AddField(
            model_name="CustomerPool",
            name="arrivals_due_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="AllocationPick",
            name="is_overflow",
            field=fields.BooleanField(default=False, db_default=False),
        ),
        ops.CreateModel(
            name="PoolArrival",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("pool_id", fields.UUIDField()),
                ("awaited_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("tried_on", fields.DateField(null=True)),
            ],
            options={
                "table": "pool_arrival",
                "app": "customers",
                "pk_attr": "id",
                "table_description": "A pool that allocates what arrives by itself (P04): since when an allocation is on its way, null where none is;",
            },
            bases=["TenantModel"],
        ),
        TenantTable("pool_arrival"),
        TenantForeignKey("pool_arrival", "pool_id", "customer_pool"),
        TenantIndex("pool_arrival", "pool_arrival_pool", "pool_id", unique=True),
        ops.CreateModel(
            name="PoolAlert",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("pool_id", fields.UUIDField()),
                ("reason", fields.CharField(max_length=20)),
                ("allocation_id", fields.UUIDField()),
                ("customers", fields.IntField()),
                ("alerted_on", fields.DateField()),
                ("alerted_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "pool_alert",
                "app": "customers",
                "pk_attr": "id",
                "table_description": "That a pool could not allocate what arrived, once per reason and day; the allocation's problems say why.",
            },
            bases=["TenantModel"],
        ),
        TenantTable("pool_alert", grants=APPEND_ONLY),
        TenantForeignKey("pool_alert", "pool_id", "customer_pool"),
        TenantForeignKey("pool_alert", "allocation_id", "pool_allocation"),
        TenantCheck(
            "pool_alert",
            "pool_alert_reason",
            one_of("reason", "no_people", "refused", "given_up", "no_candidate", "all_full", "none_may"),
        ),
        TenantIndex("pool_alert", "pool_alert_once", "pool_id, reason, alerted_on", unique=True),
    ]
