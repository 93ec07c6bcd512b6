from tortoise.migrations import operations as ops
from orjson import loads
from saas.kernel.ids import new_id
from tenants.database import current_tenant_id
from tortoise.fields.data import JSON_DUMPS
from tortoise import fields

from tenants.schema import RoomMigration, TenantCheck, TenantForeignKey, TenantIndex, TenantTable, one_of

ATTEMPT = "state IN ('calculating', 'failed')"


class Migration(RoomMigration):
    dependencies = [("incentives", "0001_incentives")]

    initial = False

    operations = [
        ops.CreateModel(
            name="SettlementPart",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("settlement_id", fields.UUIDField()),
                ("employee_id", fields.UUIDField()),
                ("share_count", fields.IntField()),
                ("is_calculated", fields.BooleanField(default=False, db_default=False)),
                ("lines", fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads)),
                ("waiting", fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads)),
                ("line_count", fields.IntField(default=0, db_default=0)),
                ("adjustment_count", fields.IntField(default=0, db_default=0)),
                ("legal_entity_id", fields.UUIDField(null=True)),
                ("earned_sealed", fields.BinaryField(null=True)),
                ("brought_sealed", fields.BinaryField(null=True)),
                ("payable_sealed", fields.BinaryField(null=True)),
                ("carried_sealed", fields.BinaryField(null=True)),
                ("balances_sealed", fields.BinaryField(null=True)),
                ("digest_sealed", fields.BinaryField(null=True)),
            ],
            options={
                "table": "settlement_part",
                "app": "incentives",
                "pk_attr": "id",
                "table_description": "One person of a settlement that is being calculated: lines and amounts as they will stand in it.",
            },
            bases=["TenantModel"],
        ),
        ops.CreateModel(
            name="SettlementProblem",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("settlement_id", fields.UUIDField()),
                ("place", fields.IntField()),
                ("key", fields.CharField(max_length=100)),
                ("args", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ],
            options={
                "table": "settlement_problem",
                "app": "incentives",
                "pk_attr": "id",
                "table_description": "Why a settlement could not be calculated: a sentence by its key and values, in the order found.",
            },
            bases=["TenantModel"],
        ),
        ops.AlterField(
            model_name="Settlement",
            name="calculated_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AlterField(
            model_name="Settlement",
            name="plan_hash",
            field=fields.CharField(null=True, max_length=64),
        ),
        ops.AddField(
            model_name="Settlement",
            name="basis_hash",
            field=fields.CharField(null=True, max_length=64),
        ),
        ops.AddField(
            model_name="Settlement",
            name="expected_hash",
            field=fields.CharField(null=True, max_length=64),
        ),
        TenantTable("settlement_part"),
        TenantTable("settlement_problem"),
        TenantForeignKey("settlement_part", "settlement_id", "settlement"),
        TenantForeignKey("settlement_part", "employee_id", "employee"),
        TenantForeignKey("settlement_part", "legal_entity_id", "legal_entity"),
        TenantForeignKey("settlement_problem", "settlement_id", "settlement"),
        ops.RunSQL(
            "ALTER TABLE settlement DROP CONSTRAINT settlement_state",
            reverse_sql="ALTER TABLE settlement ADD CONSTRAINT settlement_state CHECK (state <> 'calculating')",
        ),
        TenantCheck(
            "settlement",
            "settlement_state",
            one_of("state", "calculating", "failed", "calculated", "in_review", "approved", "locked"),
        ),
        TenantCheck(
            "settlement",
            "settlement_result",
            f"({ATTEMPT}) = (plan_hash IS NULL) AND (plan_hash IS NULL) = (calculated_at IS NULL)",
        ),
        TenantCheck("settlement_part", "settlement_part_calculated", "is_calculated OR digest_sealed IS NULL"),
        ops.RunSQL(
            "DROP INDEX settlement_period",
            reverse_sql="CREATE UNIQUE INDEX settlement_period ON settlement (tenant_id, plan_id, period_first)",
        ),
        TenantIndex("settlement", "settlement_period", "plan_id, period_first", unique=True, where=f"NOT ({ATTEMPT})"),
        TenantIndex("settlement", "settlement_attempt", "plan_id, period_first", unique=True, where=ATTEMPT),
        TenantIndex("settlement_part", "settlement_part_person", "settlement_id, employee_id", unique=True),
        TenantIndex(
            "settlement_part", "settlement_part_waiting", "settlement_id, employee_id", where="NOT is_calculated"
        ),
        TenantIndex("settlement_problem", "settlement_problem_place", "settlement_id, place", unique=True),
    ]
