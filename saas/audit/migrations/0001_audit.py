from tortoise.migrations import operations as ops
from orjson import loads
from saas.kernel.ids import new_id
from tenants.database import current_tenant_id
from tortoise.fields.data import JSON_DUMPS
from tortoise import fields

from tenants.schema import APP, APPEND_ONLY, RoomMigration, TenantIndex, TenantTable


class Migration(RoomMigration):
    initial = True

    operations = [
        ops.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("xid", fields.BigIntField()),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("account_id", fields.UUIDField()),
                ("employee_id", fields.UUIDField(null=True)),
                ("session_id", fields.UUIDField(null=True)),
                ("client", fields.CharField(max_length=40)),
                ("address", fields.CharField(max_length=64)),
                ("request_id", fields.CharField(max_length=64)),
                ("action", fields.CharField(max_length=80)),
                ("object_type", fields.CharField(max_length=60)),
                ("object_id", fields.UUIDField(null=True)),
                ("changes", fields.JSONField(default=dict, encoder=JSON_DUMPS, decoder=loads)),
                ("reason", fields.TextField(unique=False)),
                ("outcome", fields.CharField(max_length=20)),
            ],
            options={
                "table": "audit_entry",
                "app": "audit",
                "pk_attr": "id",
                "table_description": "Who did what to what, when, why and from where. Never changed, never deleted.",
            },
            bases=["TenantModel"],
        ),
        ops.CreateModel(
            name="AuditLink",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("seq", fields.BigIntField()),
                ("xid", fields.BigIntField()),
                ("previous", fields.BinaryField()),
                ("hash", fields.BinaryField()),
                ("linked_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "audit_link",
                "app": "audit",
                "pk_attr": "id",
                "table_description": "One entry's place in its company's chain; `id` is the entry's id, the key is (tenant_id, seq).",
            },
            bases=["TenantModel"],
        ),
        # The writing transaction's number. As bigint, because comparing xid8 is not leakproof and would lose the
        # index under row-level security.
        ops.RunSQL(
            "ALTER TABLE audit_entry ALTER COLUMN xid SET DEFAULT (pg_current_xact_id()::text::bigint),"
            " ADD CONSTRAINT audit_entry_outcome_check CHECK (outcome IN ('done', 'refused', 'failed'))",
            reverse_sql=ops.RunSQL.noop,
        ),
        TenantTable("audit_entry", grants=APPEND_ONLY),
        TenantIndex("audit_entry", "audit_entry_xid_key", "xid, id", unique=True),
        TenantIndex("audit_entry", "audit_entry_at_idx", "at DESC, id DESC"),
        TenantIndex("audit_entry", "audit_entry_object_idx", "object_type, object_id, at DESC, id DESC"),
        TenantTable("audit_link", key=("seq",), grants=APPEND_ONLY),
        TenantIndex("audit_link", "audit_link_id_key", "id", unique=True),
        ops.RunSQL(
            f"REVOKE INSERT ON audit_link FROM {APP}",  # whoever writes entries for people does not link them
            reverse_sql=ops.RunSQL.noop,
        ),
    ]
