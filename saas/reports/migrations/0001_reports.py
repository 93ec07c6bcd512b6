"""Reports that a job reckons, and the lists of their results."""

from orjson import loads
from tortoise import fields
from tortoise.fields.data import JSON_DUMPS
from tortoise.migrations import operations as ops
from saas.kernel.ids import new_id
from tenants.database import current_tenant_id

from tenants.schema import RoomMigration, TenantCheck, TenantForeignKey, TenantIndex, TenantTable, one_of


class Migration(RoomMigration):
    initial = True

    operations = [
        ops.CreateModel(
            name="Report",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("kind", fields.CharField(max_length=40)),
                ("state", fields.CharField(max_length=20)),
                ("wish", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("account_id", fields.UUIDField()),
                ("actor", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("step", fields.IntField(default=0, db_default=0)),
                ("at_id", fields.UUIDField(null=True)),
                ("is_read", fields.BooleanField(default=False, db_default=False)),
                ("done_count", fields.BigIntField(default=0, db_default=0)),
                ("total_count", fields.BigIntField()),
                ("summary", fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads)),
                ("problem", fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("ended_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "report",
                "app": "reports",
                "pk_attr": "id",
                "table_description": "A report that a worker reckons, with what was wished and by whom.",
            },
            bases=["TenantModel"],
        ),
        ops.CreateModel(
            name="ReportItem",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("report_id", fields.UUIDField()),
                ("list_name", fields.CharField(max_length=20)),
                ("place", fields.IntField()),
                ("content", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ],
            options={
                "table": "report_item",
                "app": "reports",
                "pk_attr": "id",
                "table_description": "One entry of a list of a report, by its place; while it is reckoned, what its pages came to.",
            },
            bases=["TenantModel"],
        ),
        TenantTable("report"),
        TenantTable("report_item"),
        TenantForeignKey("report_item", "report_id", "report", on_delete="CASCADE"),
        TenantCheck(
            "report",
            "report_state",
            one_of("state", "running", "ready", "failed")
            + " AND (state = 'running') = (ended_at IS NULL) AND (state = 'ready') = (summary IS NOT NULL)"
            + " AND (state = 'failed') = (problem IS NOT NULL)",
        ),
        TenantIndex("report", "report_of_account", "account_id, id"),
        TenantIndex("report", "report_running", "id", where="state = 'running'"),
        TenantIndex("report", "report_created", "created_at, id"),
        TenantIndex("report_item", "report_item_place", "report_id, list_name, place", unique=True),
    ]
