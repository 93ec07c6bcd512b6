"""What explains a pick is kept: shares of an allocation, and what everybody had received before each so many places."""

from orjson import loads
from saas.kernel.ids import new_id
from tenants.database import current_tenant_id
from tenants.schema import APPEND_ONLY, RoomMigration, TenantForeignKey, TenantIndex, TenantTable
from tortoise import fields
from tortoise.fields.data import JSON_DUMPS
from tortoise.migrations import operations as ops


class Migration(RoomMigration):
    dependencies = [("customers", "0004_large_allocations")]

    operations = [
        ops.AddField(
            model_name="PoolAllocation",
            name="shares",
            field=fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads),
        ),
        ops.CreateModel(
            name="AllocationTally",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("allocation_id", fields.UUIDField()),
                ("place", fields.IntField()),
                ("turns", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("records", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("last_places", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ],
            options={
                "table": "allocation_tally",
                "app": "customers",
                "pk_attr": "id",
                "table_description": "What the candidates of an allocation had received before a place, in their order on the roster: turns, records",
            },
            bases=["TenantModel"],
        ),
        TenantTable("allocation_tally", grants=APPEND_ONLY),
        TenantForeignKey("allocation_tally", "allocation_id", "pool_allocation"),
        TenantIndex("allocation_tally", "allocation_tally_place", "allocation_id, place", unique=True),
    ]
