from tortoise.migrations import operations as ops
from orjson import loads
from saas.kernel.ids import new_id
from tenants.database import current_tenant_id
from tortoise.fields.data import JSON_DUMPS
from tortoise import fields

from tenants.schema import RELAY, RoomMigration, TenantIndex, TenantTable

MAY_RELAY = [
    f"GRANT USAGE ON SCHEMA public TO {RELAY}",
    f"GRANT SELECT (tenant_id, id, topic, due_at, attempts), UPDATE (due_at, sent_at) ON outbox TO {RELAY}",
    f"CREATE POLICY relay_select ON outbox FOR SELECT TO {RELAY} USING (true)",
    f"CREATE POLICY relay_update ON outbox FOR UPDATE TO {RELAY} USING (true) WITH CHECK (true)",
]
"""The one role that sees rows of every tenant, and only this of them: whose, which, about what, when."""


class Migration(RoomMigration):
    initial = True
    dependencies = [("tenants", "0001_tenants")]

    operations = [
        ops.CreateModel(
            name="IdempotencyRecord",
            fields=[
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("client", fields.CharField(max_length=120)),
                ("key", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=100)),
                ("operation", fields.CharField(max_length=100)),
                ("body_hash", fields.BinaryField()),
                ("outcome", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "idempotency",
                "app": "events",
                "pk_attr": "key",
                "table_description": "The outcome of a call, by the key its client gave; the primary key is (tenant_id, client, key).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="OutboxEvent",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("topic", fields.CharField(max_length=100)),
                ("handler", fields.CharField(null=True, max_length=100)),
                ("payload", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("due_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("sent_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("done_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("attempts", fields.IntField(default=0, db_default=0)),
                ("last_error", fields.TextField(null=True, unique=False)),
                ("dead_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "outbox",
                "app": "events",
                "pk_attr": "id",
                "table_description": "Something that happened and has to be told on.",
            },
            bases=["TenantModel"],
        ),
        ops.RunSQL(
            """ALTER TABLE outbox
                 ADD CONSTRAINT outbox_state CHECK (
                   num_nonnulls(due_at, done_at, dead_at) = 1 AND attempts >= 0
                 ),
                 ADD CONSTRAINT outbox_payload CHECK (jsonb_typeof(payload) = 'object')""",
            reverse_sql="ALTER TABLE outbox DROP CONSTRAINT outbox_state, DROP CONSTRAINT outbox_payload",
        ),
        TenantTable("outbox"),
        TenantIndex("outbox", "outbox_due", "due_at", where="due_at IS NOT NULL"),
        TenantIndex("outbox", "outbox_done", "done_at", where="done_at IS NOT NULL"),
        TenantIndex("outbox", "outbox_dead", "dead_at", where="dead_at IS NOT NULL"),
        ops.RunSQL(MAY_RELAY, reverse_sql=ops.RunSQL.noop),
        TenantTable("idempotency", key=("client", "key")),
        TenantIndex("idempotency", "idempotency_created", "created_at"),
    ]
