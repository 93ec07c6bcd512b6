from tortoise.migrations import operations as ops
from tenants.database import current_tenant_id
from tortoise import fields

from tenants.schema import RoomMigration, TenantTable


class Migration(RoomMigration):
    dependencies = [("customers", "0001_customers")]

    operations = [
        ops.CreateModel(
            name="RefusedCheckCount",
            fields=[
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("account_id", fields.UUIDField(primary_key=True, unique=True, db_index=True)),
                ("counted_on", fields.DateField()),
                ("refusals", fields.IntField()),
            ],
            options={
                "table": "refused_check_count",
                "app": "customers",
                "pk_attr": "account_id",
                "table_description": "How often the duplicate check refused one person on one day of the tenant's calendar.",
            },
            bases=["Model"],
        ),
        TenantTable("refused_check_count", key=("account_id", "counted_on")),
    ]
