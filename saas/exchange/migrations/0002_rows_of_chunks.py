"""The index on rows of a chunk begins with the chunk, so that nobody takes it for the primary key.

Both began with the company and the part. Before the server has counted the rows, one row by its number looks as cheap
by either; by this one all rows of the part were read, for each customer that a sheet of deals names.

Every row that is written is updated once: pages keep room for that, so that no index has to be.
"""

from tortoise.migrations import operations as ops

from tenants.schema import RoomMigration, TenantIndex


class Migration(RoomMigration):
    dependencies = [("exchange", "0001_exchange")]

    operations = [
        ops.RunSQL(
            "DROP INDEX import_row_chunk",
            reverse_sql="CREATE INDEX import_row_chunk ON import_row (tenant_id, part_id, chunk)",
        ),
        ops.RunSQL(
            "ALTER TABLE import_row SET (fillfactor = 50)", reverse_sql="ALTER TABLE import_row RESET (fillfactor)"
        ),
        TenantIndex("import_row", "import_row_of_chunk", "chunk, part_id"),
    ]
