"""What people miss on leave, and by what else customers are matched: language, skill, product (P43, P46)."""

from tortoise import fields
from tortoise.migrations import operations as ops
from tenants.database import current_tenant_id

from tenants.schema import RoomMigration, TenantCheck, TenantForeignKey, TenantTable, one_of

_KINDS_BEFORE = ("territory", "industry", "source", "level")
_KINDS = (*_KINDS_BEFORE, "language", "skill", "product")


class Migration(RoomMigration):
    dependencies = [("customers", "0015_arrivals")]

    operations = [
        ops.CreateModel(
            name="LeaveShare",
            fields=[
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("pool_id", fields.UUIDField()),
                ("employee_id", fields.UUIDField(primary_key=True, unique=True, db_index=True)),
                ("counted_on", fields.DateField()),
                ("missed", fields.DecimalField(default=0, db_default=0, max_digits=30, decimal_places=18)),
                ("made_up", fields.IntField(default=0, db_default=0)),
            ],
            options={
                "table": "leave_share",
                "app": "customers",
                "pk_attr": "employee_id",
                "table_description": "What a person missed on leave of a pool's allocations on a day, in customers, and what was made up for (P46).",
            },
            bases=["Model"],
        ),
        TenantTable("leave_share", key=("pool_id", "employee_id", "counted_on")),
        TenantForeignKey("leave_share", "pool_id", "customer_pool"),
        TenantForeignKey("leave_share", "employee_id", "employee"),
        TenantCheck("leave_share", "leave_share_counts", "missed >= 0 AND made_up >= 0"),
        ops.RunSQL(
            "ALTER TABLE employee_trait DROP CONSTRAINT employee_trait_kind",
            reverse_sql="ALTER TABLE employee_trait ADD CONSTRAINT employee_trait_kind CHECK ("
            + one_of("kind", *_KINDS_BEFORE)
            + ")",
        ),
        TenantCheck("employee_trait", "employee_trait_kind", one_of("kind", *_KINDS)),
        ops.AddField(model_name="Customer", name="language", field=fields.CharField(null=True, max_length=100)),
        ops.AddField(model_name="Customer", name="required_skill", field=fields.CharField(null=True, max_length=100)),
        ops.AddField(model_name="Customer", name="wanted_product", field=fields.CharField(null=True, max_length=100)),
    ]
