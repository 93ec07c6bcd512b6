from tortoise import fields
from tortoise.migrations import operations as ops

from tenants.schema import RoomMigration


class Migration(RoomMigration):
    dependencies = [("payroll", "0003_looked_at_early")]

    operations = [
        ops.AddField(model_name="Payslip", name="amounts_sealed", field=fields.BinaryField(null=True)),
        # Sealed bytes are as good as random: trying to compress 19 KB of them is work for nothing. Rows that are there
        # stay as they are, and readable.
        ops.RunSQL(
            "ALTER TABLE payslip ALTER COLUMN document_sealed SET STORAGE EXTERNAL",
            reverse_sql="ALTER TABLE payslip ALTER COLUMN document_sealed SET STORAGE EXTENDED",
        ),
    ]
