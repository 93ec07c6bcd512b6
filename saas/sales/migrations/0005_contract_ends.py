"""When the contract of a deal ends."""

from tortoise import fields
from tortoise.migrations import operations as ops

from tenants.schema import RoomMigration, TenantCheck


class Migration(RoomMigration):
    dependencies = [("sales", "0004_reversed_collections")]

    initial = False

    operations = [
        ops.AddField(model_name="Deal", name="contract_ends_on", field=fields.DateField(null=True)),
        TenantCheck("deal", "deal_contract_ends_after_signing", "contract_ends_on >= signed_on"),
    ]
