from tortoise.migrations import operations as ops
from tortoise import fields

from tenants.schema import PlatformTable, RoomMigration


class Migration(RoomMigration):
    initial = True
    dependencies = [("tenants", "0001_tenants")]

    operations = [
        ops.CreateModel(
            name="PeriodicJobState",
            fields=[
                ("name", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=100)),
                ("due_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("claimed_until", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("started_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("finished_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("last_error", fields.TextField(null=True, unique=False)),
            ],
            options={
                "table": "periodic_job",
                "schema": "platform",
                "app": "jobs",
                "pk_attr": "name",
                "table_description": "One periodic job of the installation: what survives all workers being down, so that missed runs are caught up.",
            },
            bases=["Model"],
        ),
        PlatformTable("platform.periodic_job"),
    ]
