from tortoise.migrations import operations as ops
from saas.kernel.ids import new_id
from tortoise import fields

from tenants.schema import APP, APPEND_ONLY, PLATFORM, PlatformTable, RoomMigration

FACTS = """
CREATE FUNCTION platform.tenant_facts()
RETURNS TABLE (name text, time_zone text, locale text, preset text, version bigint, quotas jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, platform AS $function$
    -- the bound tenant's own entry and no other: the application role doesn't see the directory
    SELECT t.name, t.time_zone, t.locale, t.preset, t.version, t.quotas
      FROM platform.tenant t WHERE t.id = nullif(current_setting('app.tenant_id', true), '')::uuid
$function$
"""


class Migration(RoomMigration):
    dependencies = [("tenants", "0001_tenants")]

    initial = False

    operations = [
        ops.CreateModel(
            name="TenantEvent",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField()),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("step", fields.CharField(max_length=20)),
                ("operator", fields.CharField(max_length=100)),
                ("reason", fields.CharField(max_length=500)),
            ],
            options={
                "table": "tenant_event",
                "schema": "platform",
                "app": "tenants",
                "pk_attr": "id",
                "table_description": "A step in a company's life: what an operator, or its own sign-up, did to it and why. Append-only.",
            },
            bases=["Model"],
        ),
        PlatformTable("platform.tenant_event", grants=APPEND_ONLY),
        ops.RunSQL(
            [
                "ALTER TABLE platform.tenant ADD CONSTRAINT tenant_status CHECK (status IN ('active', 'suspended'))",
                "ALTER TABLE platform.tenant_event ADD FOREIGN KEY (tenant_id) REFERENCES platform.tenant (id)",
                "CREATE INDEX tenant_event_tenant ON platform.tenant_event (tenant_id, at)",
                FACTS,
                f"GRANT USAGE ON SCHEMA platform TO {APP}",
                "REVOKE ALL ON FUNCTION platform.tenant_facts() FROM PUBLIC",
                f"GRANT EXECUTE ON FUNCTION platform.tenant_facts() TO {APP}, {PLATFORM}",
            ],
            reverse_sql=[
                "DROP FUNCTION platform.tenant_facts()",
                "ALTER TABLE platform.tenant DROP CONSTRAINT tenant_status",
            ],
        ),
    ]
