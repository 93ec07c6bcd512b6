"""How many claims of a pool's customers were refused, by day and rule."""

from tortoise import fields
from tortoise.migrations import operations as ops
from tenants.database import current_tenant_id

from tenants.schema import RoomMigration, TenantForeignKey, TenantTable


class Migration(RoomMigration):
    dependencies = [("customers", "0016_absence")]

    operations = [
        ops.CreateModel(
            name="ClaimRefusalCount",
            fields=[
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("pool_id", fields.UUIDField()),
                ("counted_on", fields.DateField()),
                ("rule", fields.CharField(primary_key=True, max_length=20, unique=True, db_index=True)),
                ("refusals", fields.IntField()),
            ],
            options={
                "table": "claim_refusal_count",
                "app": "customers",
                "pk_attr": "rule",
                "table_description": "How many claims from a pool one rule refused on one day of the tenant's calendar.",
            },
            bases=["Model"],
        ),
        TenantTable("claim_refusal_count", key=("pool_id", "counted_on", "rule")),
        TenantForeignKey("claim_refusal_count", "pool_id", "customer_pool"),
    ]
