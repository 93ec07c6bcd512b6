from tortoise.migrations import operations as ops
from tortoise import fields

from tenants.schema import PlatformTable, RoomMigration


class Migration(RoomMigration):
    initial = True

    dependencies = [("tenants", "0001_tenants"), ("identity", "0001_identity")]

    operations = [
        ops.CreateSchema(schema_name="platform"),
        ops.CreateModel(
            name="SignUpKey",
            fields=[
                ("key", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=100)),
                ("body_hash", fields.BinaryField()),
                ("tenant_id", fields.UUIDField()),
                ("account_id", fields.UUIDField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "sign_up_key",
                "schema": "platform",
                "app": "onboarding",
                "pk_attr": "key",
                "table_description": "The idempotency record of a company's sign-up: it happens before there is a tenant to keep it in.",
            },
            bases=["Model"],
        ),
        PlatformTable("platform.sign_up_key"),
        ops.RunSQL(
            [
                "ALTER TABLE platform.sign_up_key ADD FOREIGN KEY (tenant_id) REFERENCES platform.tenant (id)",
                "ALTER TABLE platform.sign_up_key ADD FOREIGN KEY (account_id) REFERENCES platform.account (id)",
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]
