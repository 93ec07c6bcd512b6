from tortoise.migrations import operations as ops
from tortoise import fields

from tenants.schema import APP, PLATFORM, RoomMigration, TenantCheck, TenantForeignKey, TenantIndex

KEY = "external_system, external_key"


class Migration(RoomMigration):
    dependencies = [("sales", "0003_follow_up_evidence"), ("exchange", "0002_rows_of_chunks")]

    initial = False

    operations = [
        ops.AddField(
            model_name="Collection",
            name="batch_id",
            field=fields.UUIDField(null=True),
        ),
        ops.AddField(
            model_name="Collection",
            name="reversed_by_id",
            field=fields.UUIDField(null=True),
        ),
        ops.AddField(
            model_name="Collection",
            name="reverses_id",
            field=fields.UUIDField(null=True),
        ),
        TenantForeignKey("collection", "batch_id", "import_batch"),
        TenantForeignKey("collection", "reversed_by_id", "collection"),
        TenantForeignKey("collection", "reverses_id", "collection"),
        ops.RunSQL(
            ["ALTER TABLE collection DROP CONSTRAINT collection_amount", "DROP INDEX collection_external"],
            reverse_sql=[
                "ALTER TABLE collection ADD CONSTRAINT collection_amount CHECK (amount_minor > 0)",
                f"CREATE UNIQUE INDEX collection_external ON collection (tenant_id, {KEY}) WHERE external_key IS NOT NULL",
            ],
        ),
        TenantCheck(
            "collection",
            "collection_amount",
            "CASE WHEN reverses_id IS NULL THEN amount_minor > 0 ELSE amount_minor < 0 AND external_key IS NULL END",
        ),
        TenantCheck("collection", "collection_reversed_once", "reverses_id IS NULL OR reversed_by_id IS NULL"),
        TenantIndex(
            "collection",
            "collection_external",
            KEY,
            unique=True,
            where="external_key IS NOT NULL AND reversed_by_id IS NULL",
        ),
        TenantIndex("collection", "collection_reverses", "reverses_id", unique=True, where="reverses_id IS NOT NULL"),
        ops.RunSQL(
            f"GRANT UPDATE (reversed_by_id) ON collection TO {APP}, {PLATFORM}",
            reverse_sql=f"REVOKE UPDATE (reversed_by_id) ON collection FROM {APP}, {PLATFORM}",
        ),
    ]
