from tortoise.migrations import operations as ops
from saas.kernel.ids import new_id
from tenants.database import current_tenant_id
from tortoise import fields

from tenants.schema import (
    APP,
    APPEND_ONLY,
    PLATFORM,
    OrderedText,
    RoomMigration,
    TenantCheck,
    TenantForeignKey,
    TenantIndex,
    TenantTable,
    one_of,
)

SHARES = [
    """
    CREATE FUNCTION check_credit_shares() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        tenant uuid; deal uuid; total numeric;
    BEGIN
        IF TG_TABLE_NAME = 'deal' THEN tenant := NEW.tenant_id; deal := NEW.id;
        ELSIF TG_OP = 'DELETE' THEN tenant := OLD.tenant_id; deal := OLD.deal_id;
        ELSE tenant := NEW.tenant_id; deal := NEW.deal_id; END IF;
        SELECT coalesce(sum(c.share), 0) INTO total FROM public.performance_credit c
        WHERE c.tenant_id = tenant AND c.deal_id = deal;
        IF total <> 1 THEN
            RAISE EXCEPTION 'the credits of deal % add up to %, not to 1', deal, total
                USING ERRCODE = 'check_violation', CONSTRAINT = 'performance_credit_shares';
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE CONSTRAINT TRIGGER performance_credit_shares AFTER INSERT OR UPDATE OR DELETE ON performance_credit
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_credit_shares()
    """,
    """
    CREATE CONSTRAINT TRIGGER deal_credit_shares AFTER INSERT ON deal
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_credit_shares()
    """,
    "REVOKE ALL ON FUNCTION check_credit_shares FROM PUBLIC",
    f"GRANT EXECUTE ON FUNCTION check_credit_shares TO {APP}, {PLATFORM}",
]
"""What stands behind the actions: at the end of each transaction the shares of every deal touched add up to 1."""

TARGETS = [
    """
    CREATE FUNCTION check_target_overlap() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('targets of ' || NEW.tenant_id, 0));
        IF EXISTS (
            SELECT FROM public.target t
            WHERE t.tenant_id = NEW.tenant_id AND t.metric = NEW.metric AND t.id <> NEW.id
              AND (t.employee_id = NEW.employee_id OR t.department_id = NEW.department_id)
              AND t.period_first < NEW.period_until AND NEW.period_first < t.period_until
        ) THEN
            RAISE EXCEPTION 'targets of one subject and metric overlap'
                USING ERRCODE = 'exclusion_violation', CONSTRAINT = 'target_overlap';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER target_overlap BEFORE INSERT OR UPDATE ON target
    FOR EACH ROW EXECUTE FUNCTION check_target_overlap()
    """,
    "REVOKE ALL ON FUNCTION check_target_overlap FROM PUBLIC",
    f"GRANT EXECUTE ON FUNCTION check_target_overlap TO {APP}, {PLATFORM}",
]
"""In place of an exclusion constraint, which would need an extension to compare ids: who sets a target of the same
company waits, and then sees the other's, since each statement of a function sees what has committed."""


class Migration(RoomMigration):
    dependencies = [("sales", "0001_sales")]

    initial = False

    operations = [
        ops.CreateModel(
            name="Collection",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("deal_id", fields.UUIDField()),
                ("kind", fields.CharField(max_length=20)),
                ("received_on", fields.DateField()),
                ("amount_minor", fields.BigIntField()),
                ("method", fields.CharField(null=True, max_length=40)),
                ("external_system", fields.CharField(null=True, max_length=40)),
                ("external_key", fields.CharField(null=True, max_length=100)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "collection",
                "app": "sales",
                "pk_attr": "id",
                "table_description": "Money received for a deal, or paid back to the customer; never changed, only followed by another.",
            },
            bases=["TenantModel"],
        ),
        ops.CreateModel(
            name="Deal",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("customer_id", fields.UUIDField()),
                ("opportunity_id", fields.UUIDField(null=True)),
                ("number", fields.CharField(max_length=60)),
                ("product", fields.CharField(null=True, max_length=100)),
                ("category", fields.CharField(null=True, max_length=100)),
                ("channel", fields.CharField(null=True, max_length=100)),
                ("signed_on", fields.DateField()),
                ("amount_minor", fields.BigIntField()),
                ("vat_rate", fields.DecimalField(max_digits=6, decimal_places=4)),
                ("status", fields.CharField(default="signed", db_default="signed", max_length=20)),
                ("cancelled_on", fields.DateField(null=True)),
                ("collected_minor", fields.BigIntField(default=0, db_default=0)),
                ("owner_id", fields.UUIDField()),
                ("owner_department_id", fields.UUIDField()),
                ("external_system", fields.CharField(null=True, max_length=40)),
                ("external_key", fields.CharField(null=True, max_length=100)),
                ("version", fields.IntField(default=1, db_default=1)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "deal",
                "app": "sales",
                "pk_attr": "id",
                "table_description": "A sale that came about. `collected_minor` is what was received, less what was paid back.",
            },
            bases=["TenantModel"],
        ),
        ops.CreateModel(
            name="Opportunity",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("customer_id", fields.UUIDField(null=True)),
                ("owner_id", fields.UUIDField()),
                ("owner_department_id", fields.UUIDField()),
                ("stage_id", fields.UUIDField()),
                ("product", fields.CharField(null=True, max_length=100)),
                ("engaged_on", fields.DateField(null=True)),
                ("closed_on", fields.DateField(null=True)),
                ("expected_minor", fields.BigIntField(null=True)),
                ("external_system", fields.CharField(null=True, max_length=40)),
                ("external_key", fields.CharField(null=True, max_length=100)),
                ("version", fields.IntField(default=1, db_default=1)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "opportunity",
                "app": "sales",
                "pk_attr": "id",
                "table_description": "A sale that may come about. The customer may be unknown: a sheet that lacks it says so.",
            },
            bases=["TenantModel"],
        ),
        ops.CreateModel(
            name="OpportunityStage",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("key", fields.CharField(max_length=40)),
                ("title_zh", fields.CharField(max_length=100)),
                ("title_en", fields.CharField(max_length=100)),
                ("kind", fields.CharField(max_length=10)),
                ("position", fields.IntField()),
            ],
            options={
                "table": "opportunity_stage",
                "app": "sales",
                "pk_attr": "id",
                "table_description": "A stage that opportunities of a company pass through: open, won or lost.",
            },
            bases=["TenantModel"],
        ),
        ops.CreateModel(
            name="PerformanceCredit",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("deal_id", fields.UUIDField()),
                ("employee_id", fields.UUIDField()),
                ("department_id", fields.UUIDField()),
                ("share", fields.DecimalField(max_digits=9, decimal_places=8)),
                ("position", fields.IntField()),
            ],
            options={
                "table": "performance_credit",
                "app": "sales",
                "pk_attr": "id",
                "table_description": "Whose performance a deal is, and to which share; the shares of a deal add up to exactly 1.",
            },
            bases=["TenantModel"],
        ),
        ops.CreateModel(
            name="PerformanceLine",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("metric", fields.CharField(max_length=20)),
                ("deal_id", fields.UUIDField()),
                ("collection_id", fields.UUIDField(null=True)),
                ("employee_id", fields.UUIDField()),
                ("department_id", fields.UUIDField()),
                ("happened_on", fields.DateField()),
                ("amount_minor", fields.BigIntField()),
                ("is_new_customer", fields.BooleanField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "performance_line",
                "app": "sales",
                "pk_attr": "id",
                "table_description": "One person's part in a deal signed, collected or refunded; what turned out otherwise is followed by a reversal.",
            },
            bases=["TenantModel"],
        ),
        ops.CreateModel(
            name="Target",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("employee_id", fields.UUIDField(null=True)),
                ("department_id", fields.UUIDField(null=True)),
                ("metric", fields.CharField(max_length=20)),
                ("period_first", fields.DateField()),
                ("period_until", fields.DateField()),
                ("amount_minor", fields.BigIntField()),
                ("version", fields.IntField(default=1, db_default=1)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "target",
                "app": "sales",
                "pk_attr": "id",
                "table_description": "What a person or a department is to achieve in a period of whole days, the last one excluded.",
            },
            bases=["TenantModel"],
        ),
        TenantTable("opportunity_stage"),
        TenantTable("opportunity"),
        TenantTable("deal"),
        TenantTable("collection", grants=APPEND_ONLY),
        TenantTable("performance_credit"),
        TenantTable("performance_line", grants=APPEND_ONLY),
        TenantTable("target"),
        OrderedText("opportunity_stage", "key"),
        OrderedText("opportunity", "product", "external_system", "external_key"),
        OrderedText("deal", "number", "product", "category", "channel", "external_system", "external_key"),
        OrderedText("collection", "external_system", "external_key"),
        TenantForeignKey("opportunity", "customer_id", "customer"),
        TenantForeignKey("opportunity", "owner_id", "employee"),
        TenantForeignKey("opportunity", "owner_department_id", "department"),
        TenantForeignKey("opportunity", "stage_id", "opportunity_stage"),
        TenantForeignKey("deal", "customer_id", "customer"),
        TenantForeignKey("deal", "opportunity_id", "opportunity"),
        TenantForeignKey("deal", "owner_id", "employee"),
        TenantForeignKey("deal", "owner_department_id", "department"),
        TenantForeignKey("collection", "deal_id", "deal"),
        TenantForeignKey("performance_credit", "deal_id", "deal"),
        TenantForeignKey("performance_credit", "employee_id", "employee"),
        TenantForeignKey("performance_credit", "department_id", "department"),
        TenantForeignKey("performance_line", "deal_id", "deal"),
        TenantForeignKey("performance_line", "collection_id", "collection"),
        TenantForeignKey("performance_line", "employee_id", "employee"),
        TenantForeignKey("performance_line", "department_id", "department"),
        TenantForeignKey("target", "employee_id", "employee"),
        TenantForeignKey("target", "department_id", "department"),
        TenantCheck("opportunity_stage", "opportunity_stage_kind", one_of("kind", "open", "won", "lost")),
        TenantCheck("opportunity", "opportunity_expected", "expected_minor >= 0"),
        TenantCheck("opportunity", "opportunity_closed", "closed_on >= engaged_on"),
        TenantCheck("deal", "deal_amount", "amount_minor > 0"),
        TenantCheck("deal", "deal_collected", "collected_minor BETWEEN 0 AND amount_minor"),
        TenantCheck("deal", "deal_vat_rate", "vat_rate >= 0 AND vat_rate < 1"),
        TenantCheck(
            "deal",
            "deal_status",
            one_of("status", "signed", "cancelled") + " AND (status = 'cancelled') = (cancelled_on IS NOT NULL)",
        ),
        TenantCheck(
            "deal", "deal_cancelled", "status = 'signed' OR (collected_minor = 0 AND cancelled_on >= signed_on)"
        ),
        TenantCheck("collection", "collection_kind", one_of("kind", "collection", "refund")),
        TenantCheck("collection", "collection_amount", "amount_minor > 0"),
        TenantCheck("performance_credit", "performance_credit_share", "share > 0 AND share <= 1"),
        TenantCheck("performance_line", "performance_line_metric", one_of("metric", "signed", "collected", "refunded")),
        TenantCheck("performance_line", "performance_line_of", "(metric = 'signed') = (collection_id IS NULL)"),
        TenantCheck("performance_line", "performance_line_amount", "amount_minor <> 0"),
        TenantCheck("target", "target_metric", one_of("metric", "signed", "collected")),
        TenantCheck("target", "target_subject", "(employee_id IS NULL) <> (department_id IS NULL)"),
        TenantCheck("target", "target_period", "period_first < period_until"),
        TenantCheck("target", "target_amount", "amount_minor > 0"),
        TenantIndex("opportunity_stage", "opportunity_stage_key", "key", unique=True),
        TenantIndex("opportunity_stage", "opportunity_stage_position", "position, id"),
        TenantIndex("opportunity", "opportunity_created", "created_at, id"),
        TenantIndex("opportunity", "opportunity_customer", "customer_id, created_at, id"),
        TenantIndex("opportunity", "opportunity_owner", "owner_id, created_at, id"),
        TenantIndex("opportunity", "opportunity_owner_department", "owner_department_id, created_at, id"),
        TenantIndex("opportunity", "opportunity_stage_created", "stage_id, created_at, id"),
        TenantIndex("opportunity", "opportunity_product", "product, created_at, id"),
        TenantIndex("opportunity", "opportunity_engaged", "engaged_on, id"),
        TenantIndex("opportunity", "opportunity_closed_day", "closed_on, id"),
        TenantIndex("opportunity", "opportunity_expected_amount", "expected_minor, id"),
        TenantIndex(
            "opportunity",
            "opportunity_external",
            "external_system, external_key",
            unique=True,
            where="external_key IS NOT NULL",
        ),
        TenantIndex("deal", "deal_number", "number", unique=True),
        TenantIndex("deal", "deal_signed", "signed_on, id"),
        TenantIndex("deal", "deal_amount_order", "amount_minor, id"),
        TenantIndex("deal", "deal_customer", "customer_id, signed_on, id"),
        TenantIndex("deal", "deal_opportunity", "opportunity_id, signed_on, id"),
        TenantIndex("deal", "deal_owner", "owner_id, signed_on, id"),
        TenantIndex("deal", "deal_owner_department", "owner_department_id, signed_on, id"),
        TenantIndex("deal", "deal_status_signed", "status, signed_on, id"),
        TenantIndex("deal", "deal_product", "product, signed_on, id"),
        TenantIndex("deal", "deal_category", "category, signed_on, id"),
        TenantIndex("deal", "deal_channel", "channel, signed_on, id"),
        TenantIndex(
            "deal", "deal_external", "external_system, external_key", unique=True, where="external_key IS NOT NULL"
        ),
        TenantIndex("collection", "collection_received", "received_on, id"),
        TenantIndex("collection", "collection_deal", "deal_id, received_on, id"),
        TenantIndex("collection", "collection_kind_received", "kind, received_on, id"),
        TenantIndex("collection", "collection_amount_order", "amount_minor, id"),
        TenantIndex(
            "collection",
            "collection_external",
            "external_system, external_key",
            unique=True,
            where="external_key IS NOT NULL",
        ),
        TenantIndex("performance_credit", "performance_credit_employee", "deal_id, employee_id", unique=True),
        TenantIndex("performance_credit", "performance_credit_deal", "deal_id, position, id"),
        TenantIndex("performance_credit", "performance_credit_position", "position, id"),
        TenantIndex("performance_credit", "performance_credit_person", "employee_id, deal_id"),
        TenantIndex("performance_credit", "performance_credit_department", "department_id, deal_id"),
        TenantIndex("performance_line", "performance_line_happened", "happened_on, id"),
        TenantIndex("performance_line", "performance_line_metric_day", "metric, happened_on, id"),
        TenantIndex("performance_line", "performance_line_employee", "employee_id, happened_on, id"),
        TenantIndex("performance_line", "performance_line_department", "department_id, happened_on, id"),
        TenantIndex("performance_line", "performance_line_deal", "deal_id, happened_on, id"),
        TenantIndex("performance_line", "performance_line_new", "is_new_customer, happened_on, id"),
        TenantIndex("performance_line", "performance_line_created", "created_at, id"),
        TenantIndex("target", "target_first", "period_first, id"),
        TenantIndex("target", "target_until", "period_until, id"),
        TenantIndex("target", "target_metric_first", "metric, period_first, id"),
        TenantIndex("target", "target_employee", "employee_id, period_first, id"),
        TenantIndex("target", "target_department", "department_id, period_first, id"),
        TenantIndex("target", "target_of_employee", "employee_id, metric, period_first", unique=True),
        TenantIndex("target", "target_of_department", "department_id, metric, period_first", unique=True),
        ops.RunSQL(SHARES, reverse_sql="DROP FUNCTION check_credit_shares CASCADE"),
        ops.RunSQL(TARGETS, reverse_sql="DROP FUNCTION check_target_overlap CASCADE"),
    ]
