from tortoise.migrations import operations as ops
from saas.kernel.ids import new_id
from tenants.database import current_tenant_id
from tortoise import fields

from tenants.schema import RoomMigration, TenantCheck, TenantForeignKey, TenantIndex, TenantTable, one_of


class Migration(RoomMigration):
    initial = True

    dependencies = [("customers", "0001_customers")]

    operations = [
        ops.CreateModel(
            name="FollowUp",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("customer_id", fields.UUIDField()),
                ("author_id", fields.UUIDField()),
                ("kind", fields.CharField(max_length=20)),
                ("content", fields.TextField(unique=False)),
                ("occurred_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("occurred_on", fields.DateField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "follow_up",
                "app": "sales",
                "pk_attr": "id",
                "table_description": "What a person did for a customer: a call, a visit, a meeting, a message, a note.",
            },
            bases=["TenantModel"],
        ),
        TenantTable("follow_up"),
        TenantForeignKey("follow_up", "customer_id", "customer"),
        TenantForeignKey("follow_up", "author_id", "employee"),
        TenantCheck("follow_up", "follow_up_kind", one_of("kind", "call", "visit", "meeting", "message", "note")),
        TenantIndex("follow_up", "follow_up_customer", "customer_id, occurred_at, id"),
        TenantIndex("follow_up", "follow_up_author", "author_id, occurred_at, id"),
        TenantIndex("follow_up", "follow_up_occurred", "occurred_at, id"),
        TenantIndex("follow_up", "follow_up_day", "occurred_on, id"),
    ]
