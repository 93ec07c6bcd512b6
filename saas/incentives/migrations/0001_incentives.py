from tortoise.migrations import operations as ops
from orjson import loads
from saas.kernel.ids import new_id
from tenants.database import current_tenant_id
from tortoise.fields.data import JSON_DUMPS
from tortoise import fields

from tenants.schema import (
    APP,
    PLATFORM,
    OrderedText,
    RoomMigration,
    TenantCheck,
    TenantForeignKey,
    TenantIndex,
    TenantTable,
    one_of,
)

KEPT = [
    """
    CREATE FUNCTION keep_locked_settlement() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        old_state text; new_state text;
    BEGIN
        IF TG_TABLE_NAME = 'settlement' THEN
            IF TG_OP <> 'INSERT' THEN old_state := OLD.state; END IF;
        ELSE
            IF TG_OP <> 'INSERT' THEN old_state := (SELECT s.state FROM public.settlement s
                WHERE s.tenant_id = OLD.tenant_id AND s.id = OLD.settlement_id); END IF;
            IF TG_OP <> 'DELETE' THEN new_state := (SELECT s.state FROM public.settlement s
                WHERE s.tenant_id = NEW.tenant_id AND s.id = NEW.settlement_id); END IF;
            IF TG_TABLE_NAME = 'settlement_line' AND TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'payroll_run_id'
               = to_jsonb(OLD) - 'payroll_run_id' AND to_jsonb(OLD) ->> 'payroll_run_id' IS NULL THEN
                RETURN NEW;
            END IF;
        END IF;
        IF old_state = 'locked' OR new_state = 'locked' THEN
            RAISE EXCEPTION 'a locked settlement is never changed' USING ERRCODE = 'check_violation',
                CONSTRAINT = 'settlement_locked';
        END IF;
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END $$
    """,
    *(
        f"""
        CREATE TRIGGER {table}_locked BEFORE INSERT OR UPDATE OR DELETE ON {table}
        FOR EACH ROW EXECUTE FUNCTION keep_locked_settlement()
        """
        for table in ("settlement", "settlement_line", "accrual")
    ),
    "REVOKE ALL ON FUNCTION keep_locked_settlement FROM PUBLIC",
    f"GRANT EXECUTE ON FUNCTION keep_locked_settlement TO {APP}, {PLATFORM}",
]
"""What stands behind the actions: of a locked settlement nothing changes but the run that pays a line, set once."""


class Migration(RoomMigration):
    initial = True

    dependencies = [("sales", "0002_deals")]

    operations = [
        ops.CreateModel(
            name="Accrual",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("plan_id", fields.UUIDField()),
                ("version_number", fields.IntField(null=True)),
                ("rule", fields.CharField(max_length=40)),
                ("kind", fields.CharField(max_length=20)),
                ("stream", fields.CharField(max_length=20)),
                ("award", fields.CharField(max_length=20)),
                ("employee_id", fields.UUIDField()),
                ("deal_id", fields.UUIDField(null=True)),
                ("collection_id", fields.UUIDField(null=True)),
                ("pool_run_id", fields.UUIDField(null=True)),
                ("source_key", fields.TextField(unique=False)),
                ("event", fields.CharField(max_length=80)),
                ("of_key", fields.TextField(null=True, unique=False)),
                ("happened_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("happened_on", fields.DateField()),
                ("period_first", fields.DateField()),
                ("base_minor", fields.BigIntField()),
                ("amount_minor", fields.BigIntField()),
                ("customer_level", fields.CharField(null=True, max_length=20)),
                ("explanation", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("settlement_id", fields.UUIDField(null=True)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "accrual",
                "app": "incentives",
                "pk_attr": "id",
                "table_description": "One line of what somebody gets, with all it rests on; `source_key` is what the line is, whatever it comes to.",
            },
            bases=["TenantModel"],
        ),
        ops.CreateModel(
            name="BonusPoolRun",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("plan_id", fields.UUIDField()),
                ("title", fields.CharField(max_length=100)),
                ("period_first", fields.DateField()),
                ("period_until", fields.DateField()),
                ("department_id", fields.UUIDField(null=True)),
                ("result_minor", fields.BigIntField()),
                ("terms", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("members", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("parts", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("explanation", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("pool_minor", fields.BigIntField()),
                ("reserve_minor", fields.BigIntField()),
                ("to_company_minor", fields.BigIntField()),
                ("state", fields.CharField(max_length=20)),
                ("plan_hash", fields.CharField(max_length=64)),
                ("calculated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("calculator_account_id", fields.UUIDField()),
                ("calculator_id", fields.UUIDField(null=True)),
                ("approved_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("approver_account_id", fields.UUIDField(null=True)),
                ("approver_id", fields.UUIDField(null=True)),
            ],
            options={
                "table": "bonus_pool_run",
                "app": "incentives",
                "pk_attr": "id",
                "table_description": "An amount divided among people by keys that are frozen with the run; once approved its parts are accruals.",
            },
            bases=["TenantModel"],
        ),
        ops.CreateModel(
            name="DealStage",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("deal_id", fields.UUIDField()),
                ("collection_id", fields.UUIDField(null=True)),
                ("stage", fields.CharField(max_length=40)),
                ("reached_on", fields.DateField()),
                ("known_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "deal_stage",
                "app": "incentives",
                "pk_attr": "id",
                "table_description": "A stage of its contract that a deal has reached; with a collection, the stage that this was asked for.",
            },
            bases=["TenantModel"],
        ),
        ops.CreateModel(
            name="IncentiveParticipant",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("plan_id", fields.UUIDField()),
                ("employee_id", fields.UUIDField(null=True)),
                ("department_id", fields.UUIDField(null=True)),
                ("valid_from", fields.DateField()),
                ("valid_to", fields.DateField(null=True)),
                ("known_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "incentive_participant",
                "app": "incentives",
                "pk_attr": "id",
                "table_description": "A person, or a department with all below it, for whom a plan is; a plan without any is everybody's.",
            },
            bases=["TenantModel"],
        ),
        ops.CreateModel(
            name="IncentivePlan",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("code", fields.CharField(max_length=40)),
                ("title", fields.CharField(max_length=100)),
                ("currency", fields.CharField(max_length=3)),
                ("cycle", fields.CharField(max_length=20)),
                ("measure", fields.CharField(max_length=20)),
                ("with_vat", fields.BooleanField()),
                ("vat_rate_at", fields.CharField(max_length=20)),
                ("anchor", fields.CharField(max_length=20)),
                ("payability", fields.CharField(max_length=20)),
                ("tier_window", fields.CharField(max_length=20)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "incentive_plan",
                "app": "incentives",
                "pk_attr": "id",
                "table_description": "A plan with the terms that hold for all its time; what it pays stands in its versions.",
            },
            bases=["TenantModel"],
        ),
        ops.CreateModel(
            name="IncentivePlanVersion",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("plan_id", fields.UUIDField()),
                ("number", fields.IntField()),
                ("state", fields.CharField(max_length=20)),
                ("content", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("content_hash", fields.CharField(max_length=64)),
                ("valid_from", fields.DateField()),
                ("valid_to", fields.DateField(null=True)),
                ("reason", fields.CharField(null=True, max_length=500)),
                ("author_account_id", fields.UUIDField()),
                ("author_id", fields.UUIDField(null=True)),
                ("saved_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("known_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("publisher_account_id", fields.UUIDField(null=True)),
                ("publisher_id", fields.UUIDField(null=True)),
            ],
            options={
                "table": "incentive_plan_version",
                "app": "incentives",
                "pk_attr": "id",
                "table_description": "The rules of a plan for some time. `content` is the plan with this version alone, `content_hash` of its text.",
            },
            bases=["TenantModel"],
        ),
        ops.CreateModel(
            name="Settlement",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("plan_id", fields.UUIDField()),
                ("period_first", fields.DateField()),
                ("period_until", fields.DateField()),
                ("state", fields.CharField(max_length=20)),
                ("plan_hash", fields.CharField(max_length=64)),
                ("people_count", fields.IntField()),
                ("line_count", fields.IntField()),
                ("adjustment_count", fields.IntField()),
                ("earned_minor", fields.BigIntField(null=True)),
                ("payable_minor", fields.BigIntField(null=True)),
                ("calculated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("calculator_account_id", fields.UUIDField()),
                ("calculator_id", fields.UUIDField(null=True)),
                ("approved_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("approver_account_id", fields.UUIDField(null=True)),
                ("approver_id", fields.UUIDField(null=True)),
                ("locked_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "settlement",
                "app": "incentives",
                "pk_attr": "id",
                "table_description": "What a plan pays for a period. Sums are null for groups so small that they would tell what somebody gets.",
            },
            bases=["TenantModel"],
        ),
        ops.CreateModel(
            name="SettlementLine",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("settlement_id", fields.UUIDField()),
                ("employee_id", fields.UUIDField()),
                ("legal_entity_id", fields.UUIDField()),
                ("line_count", fields.IntField()),
                ("earned_sealed", fields.BinaryField()),
                ("brought_sealed", fields.BinaryField()),
                ("payable_sealed", fields.BinaryField()),
                ("carried_sealed", fields.BinaryField()),
                ("balances_sealed", fields.BinaryField()),
                ("amounts_masked", fields.CharField(max_length=10)),
                ("payroll_run_id", fields.UUIDField(null=True)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "settlement_line",
                "app": "incentives",
                "pk_attr": "id",
                "table_description": "One person's statement in a settlement; its amounts are sealed. `payroll_run_id`: the run that pays it.",
            },
            bases=["TenantModel"],
        ),
        TenantTable("incentive_plan"),
        TenantTable("incentive_plan_version"),
        TenantTable("incentive_participant"),
        TenantTable("deal_stage"),
        TenantTable("settlement"),
        TenantTable("settlement_line"),
        TenantTable("bonus_pool_run"),
        TenantTable("accrual"),
        OrderedText("incentive_plan", "code", "title"),
        OrderedText("accrual", "source_key", "event"),
        TenantForeignKey("incentive_plan_version", "plan_id", "incentive_plan"),
        TenantForeignKey("incentive_plan_version", "author_id", "employee"),
        TenantForeignKey("incentive_plan_version", "publisher_id", "employee"),
        TenantForeignKey("incentive_participant", "plan_id", "incentive_plan"),
        TenantForeignKey("incentive_participant", "employee_id", "employee"),
        TenantForeignKey("incentive_participant", "department_id", "department"),
        TenantForeignKey("deal_stage", "deal_id", "deal"),
        TenantForeignKey("deal_stage", "collection_id", "collection"),
        TenantForeignKey("settlement", "plan_id", "incentive_plan"),
        TenantForeignKey("settlement", "calculator_id", "employee"),
        TenantForeignKey("settlement", "approver_id", "employee"),
        TenantForeignKey("settlement_line", "settlement_id", "settlement"),
        TenantForeignKey("settlement_line", "employee_id", "employee"),
        TenantForeignKey("settlement_line", "legal_entity_id", "legal_entity"),
        TenantForeignKey("bonus_pool_run", "plan_id", "incentive_plan"),
        TenantForeignKey("bonus_pool_run", "department_id", "department"),
        TenantForeignKey("bonus_pool_run", "calculator_id", "employee"),
        TenantForeignKey("bonus_pool_run", "approver_id", "employee"),
        TenantForeignKey("accrual", "plan_id", "incentive_plan"),
        TenantForeignKey("accrual", "employee_id", "employee"),
        TenantForeignKey("accrual", "deal_id", "deal"),
        TenantForeignKey("accrual", "collection_id", "collection"),
        TenantForeignKey("accrual", "pool_run_id", "bonus_pool_run"),
        TenantForeignKey("accrual", "settlement_id", "settlement"),
        TenantCheck("incentive_plan", "incentive_plan_cycle", one_of("cycle", "month", "quarter", "year")),
        TenantCheck("incentive_plan", "incentive_plan_measure", one_of("measure", "signed", "collected")),
        TenantCheck("incentive_plan", "incentive_plan_vat_rate", one_of("vat_rate_at", "signing", "collection")),
        TenantCheck("incentive_plan", "incentive_plan_anchor", one_of("anchor", "signing", "collection")),
        TenantCheck(
            "incentive_plan",
            "incentive_plan_payability",
            one_of("payability", "at_signing", "at_collection", "by_stage"),
        ),
        TenantCheck("incentive_plan", "incentive_plan_window", one_of("tier_window", "order", "period", "year")),
        TenantCheck(
            "incentive_plan_version",
            "incentive_plan_version_state",
            one_of("state", "draft", "published") + " AND (state = 'published') = (known_at IS NOT NULL)",
        ),
        TenantCheck("incentive_plan_version", "incentive_plan_version_days", "valid_to > valid_from"),
        TenantCheck(
            "incentive_participant", "incentive_participant_of", "(employee_id IS NULL) <> (department_id IS NULL)"
        ),
        TenantCheck("incentive_participant", "incentive_participant_days", "valid_to > valid_from"),
        TenantCheck("settlement", "settlement_state", one_of("state", "calculated", "in_review", "approved", "locked")),
        TenantCheck(
            "settlement",
            "settlement_approved",
            "(state IN ('approved', 'locked')) = (approver_account_id IS NOT NULL)"
            " AND approver_account_id <> calculator_account_id",
        ),
        TenantCheck("settlement", "settlement_days", "period_until > period_first"),
        TenantCheck(
            "settlement", "settlement_sums", "people_count >= 5 OR (earned_minor IS NULL AND payable_minor IS NULL)"
        ),
        TenantCheck("bonus_pool_run", "bonus_pool_run_state", one_of("state", "calculated", "approved")),
        TenantCheck(
            "bonus_pool_run",
            "bonus_pool_run_approved",
            "(state = 'approved') = (approver_account_id IS NOT NULL) AND approver_account_id <> calculator_account_id",
        ),
        TenantCheck("bonus_pool_run", "bonus_pool_run_days", "period_until > period_first"),
        TenantCheck(
            "accrual",
            "accrual_kind",
            one_of("kind", "earned", "released", "clawed_back", "capped", "guaranteed", "adjusted", "pool")
            + " AND (kind = 'pool') = (pool_run_id IS NOT NULL)",
        ),
        TenantCheck("accrual", "accrual_stream", one_of("stream", "own", "override")),
        TenantCheck("accrual", "accrual_award", one_of("award", "commission", "bonus")),
        TenantIndex("incentive_plan", "incentive_plan_code", "code", unique=True),
        TenantIndex("incentive_plan", "incentive_plan_order", "code, id"),
        TenantIndex("incentive_plan_version", "incentive_plan_version_number", "plan_id, number", unique=True),
        TenantIndex("incentive_plan_version", "incentive_plan_version_order", "plan_id, number, id"),
        TenantIndex("incentive_plan_version", "incentive_plan_version_by_number", "number, id"),
        TenantIndex("incentive_plan_version", "incentive_plan_draft", "plan_id", unique=True, where="state = 'draft'"),
        TenantIndex("incentive_participant", "incentive_participant_from", "valid_from, id"),
        TenantIndex("incentive_participant", "incentive_participant_plan", "plan_id, valid_from, id"),
        TenantIndex("incentive_participant", "incentive_participant_employee", "employee_id, valid_from, id"),
        TenantIndex("incentive_participant", "incentive_participant_department", "department_id, valid_from, id"),
        TenantIndex("deal_stage", "deal_stage_deal", "deal_id, stage", unique=True, where="collection_id IS NULL"),
        TenantIndex(
            "deal_stage", "deal_stage_collection", "collection_id", unique=True, where="collection_id IS NOT NULL"
        ),
        TenantIndex("deal_stage", "deal_stage_order", "deal_id, reached_on, id"),
        TenantIndex("deal_stage", "deal_stage_reached", "reached_on, id"),
        TenantIndex("settlement", "settlement_period", "plan_id, period_first", unique=True),
        TenantIndex("settlement", "settlement_plan", "plan_id, period_first, id"),
        TenantIndex("settlement", "settlement_order", "period_first, id"),
        TenantIndex("settlement", "settlement_state_order", "state, period_first, id"),
        TenantIndex("settlement_line", "settlement_line_person", "settlement_id, employee_id", unique=True),
        TenantIndex("settlement_line", "settlement_line_order", "settlement_id, created_at, id"),
        TenantIndex("settlement_line", "settlement_line_employee", "employee_id, created_at, id"),
        TenantIndex("settlement_line", "settlement_line_created", "created_at, id"),
        TenantIndex("settlement_line", "settlement_line_payroll", "payroll_run_id, id"),
        TenantIndex("bonus_pool_run", "bonus_pool_run_title", "plan_id, period_first, title", unique=True),
        TenantIndex("bonus_pool_run", "bonus_pool_run_order", "period_first, id"),
        TenantIndex("bonus_pool_run", "bonus_pool_run_plan", "plan_id, period_first, id"),
        TenantIndex("accrual", "accrual_source", "source_key", unique=True),
        TenantIndex("accrual", "accrual_happened", "happened_on, id"),
        TenantIndex("accrual", "accrual_employee", "employee_id, happened_on, id"),
        TenantIndex("accrual", "accrual_plan", "plan_id, happened_on, id"),
        TenantIndex("accrual", "accrual_deal", "deal_id, happened_on, id"),
        TenantIndex("accrual", "accrual_kind_order", "kind, happened_on, id"),
        TenantIndex("accrual", "accrual_settlement", "settlement_id, happened_on, id"),
        ops.RunSQL(KEPT, reverse_sql="DROP FUNCTION keep_locked_settlement CASCADE"),
    ]
