"""How far opportunities have come, and since when: one that stands still ceases to keep its customer (L12)."""

from tortoise import fields
from tortoise.fields.db_defaults import SqlDefault
from tortoise.migrations import operations as ops

from tenants.schema import RoomMigration

_FILL = """
UPDATE opportunity o SET reached = s.position,
    advanced_on = coalesce(o.closed_on, o.engaged_on, (o.created_at AT TIME ZONE 'UTC')::date)
FROM opportunity_stage s WHERE s.tenant_id = o.tenant_id AND s.id = o.stage_id
"""
_TABLES = ("opportunity", "opportunity_stage")


class Migration(RoomMigration):
    dependencies = [("sales", "0005_contract_ends")]

    initial = False

    operations = [
        ops.AddField(model_name="Opportunity", name="reached", field=fields.IntField(default=0, db_default=0)),
        ops.AddField(
            model_name="Opportunity",
            name="advanced_on",
            field=fields.DateField(db_default=SqlDefault("CURRENT_DATE")),
        ),
        # the tables' owner is held to row-level security too, and would find no row to fill
        ops.RunSQL(
            [
                *(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY" for table in _TABLES),
                _FILL,
                *(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY" for table in _TABLES),
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]
