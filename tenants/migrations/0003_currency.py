from tortoise.migrations import operations as ops
from tortoise import fields

from tenants.schema import APP, PLATFORM, RoomMigration

_FACTS = """
CREATE FUNCTION platform.tenant_facts()
RETURNS TABLE (name text, time_zone text, currency text, locale text, preset text, version bigint, quotas jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, platform AS $function$
    -- the bound tenant's own entry and no other: the application role doesn't see the directory
    SELECT t.name, t.time_zone, t.currency, t.locale, t.preset, t.version, t.quotas
      FROM platform.tenant t WHERE t.id = nullif(current_setting('app.tenant_id', true), '')::uuid
$function$
"""


class Migration(RoomMigration):
    dependencies = [("tenants", "0002_lifecycle")]

    initial = False

    operations = [
        ops.AddField(
            model_name="Tenant",
            name="currency",
            field=fields.CharField(default="CNY", db_default="CNY", max_length=3),
        ),
        ops.RunSQL(
            [
                "ALTER TABLE platform.tenant ADD CONSTRAINT tenant_currency CHECK (currency ~ '^[A-Z]{3}$')",
                "DROP FUNCTION platform.tenant_facts()",
                _FACTS,
                "REVOKE ALL ON FUNCTION platform.tenant_facts() FROM PUBLIC",
                f"GRANT EXECUTE ON FUNCTION platform.tenant_facts() TO {APP}, {PLATFORM}",
            ],
            reverse_sql="ALTER TABLE platform.tenant DROP CONSTRAINT tenant_currency",
        ),
    ]
