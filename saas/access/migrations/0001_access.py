from tortoise.migrations import operations as ops
from saas.kernel.ids import new_id
from tenants.database import current_tenant_id
from tortoise import fields

from tenants.schema import RoomMigration, TenantIndex, TenantTable


class Migration(RoomMigration):
    initial = True

    operations = [
        ops.CreateModel(
            name="AccessRole",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("name", fields.CharField(max_length=40)),
                ("parent", fields.CharField(null=True, max_length=40)),
                ("created_by", fields.UUIDField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "access_role",
                "app": "access",
                "pk_attr": "id",
                "table_description": "A role of the company's own. It never changes its parent, so roles can't come to inherit in a circle.",
            },
            bases=["TenantModel"],
        ),
        ops.CreateModel(
            name="AccessRule",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("role", fields.CharField(max_length=40)),
                ("action", fields.CharField(max_length=10)),
                ("object", fields.CharField(max_length=120)),
                ("effect", fields.CharField(max_length=5)),
                ("scope", fields.CharField(max_length=40)),
                ("reason", fields.TextField(unique=False)),
                ("created_by", fields.UUIDField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "access_rule",
                "app": "access",
                "pk_attr": "id",
                "table_description": "A line of the company's own policy; taking it back deletes it, and the trail remembers both.",
            },
            bases=["TenantModel"],
        ),
        TenantTable("access_role"),
        TenantIndex("access_role", "access_role_name_key", "name", unique=True),
        ops.RunSQL(
            "ALTER TABLE access_role ADD CONSTRAINT access_role_parent_check CHECK (parent <> name)",
            reverse_sql="ALTER TABLE access_role DROP CONSTRAINT access_role_parent_check",
        ),
        TenantTable("access_rule"),
        TenantIndex("access_rule", "access_rule_line_key", "role, object, action, effect, scope", unique=True),
        ops.RunSQL(
            "ALTER TABLE access_rule ADD CONSTRAINT access_rule_words_check CHECK ("
            "action IN ('see', 'read', 'mask', 'use', 'aggregate', 'write', 'do') AND effect IN ('allow', 'deny'))",
            reverse_sql="ALTER TABLE access_rule DROP CONSTRAINT access_rule_words_check",
        ),
    ]
