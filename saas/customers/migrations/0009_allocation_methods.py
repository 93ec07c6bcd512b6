"""What more methods of allocation go by: traits of people, levels and credits, facts of customers; what they report."""

from orjson import loads
from tortoise import fields
from tortoise.fields.data import JSON_DUMPS
from tortoise.migrations import operations as ops
from saas.kernel.ids import new_id
from tenants.database import current_tenant_id

from tenants.schema import APPEND_ONLY, RoomMigration, TenantCheck, TenantForeignKey, TenantIndex, TenantTable, one_of

_KINDS_BEFORE = (
    "claimed",
    "released",
    "assigned",
    "transferred",
    "allocated",
    "recycled",
    "warned",
    "postponed",
    "moved",
    "draw_committed",
    "locked",
    "protected",
    "extended",
    "freed",
)


class Migration(RoomMigration):
    dependencies = [("customers", "0008_decline_and_contract_end")]

    operations = [
        ops.CreateModel(
            name="EmployeeTrait",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("employee_id", fields.UUIDField()),
                ("kind", fields.CharField(max_length=10)),
                ("value", fields.CharField(max_length=100)),
            ],
            options={
                "table": "employee_trait",
                "app": "customers",
                "pk_attr": "id",
                "table_description": "What a person is there for: customers of a territory, an industry, a source or a level (P43).",
            },
            bases=["TenantModel"],
        ),
        TenantTable("employee_trait"),
        TenantForeignKey("employee_trait", "employee_id", "employee"),
        TenantCheck(
            "employee_trait", "employee_trait_kind", one_of("kind", "territory", "industry", "source", "level")
        ),
        TenantIndex("employee_trait", "employee_trait_once", "employee_id, kind, value", unique=True),
        ops.CreateModel(
            name="AllocationCredit",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("pool_id", fields.UUIDField()),
                ("employee_id", fields.UUIDField()),
                ("customer_id", fields.UUIDField(null=True)),
                ("customers", fields.IntField()),
                ("kind", fields.CharField(max_length=10)),
                ("reason", fields.CharField(max_length=200)),
                ("credited_on", fields.DateField()),
                ("credited_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("credited_by", fields.UUIDField()),
            ],
            options={
                "table": "allocation_credit",
                "app": "customers",
                "pk_attr": "id",
                "table_description": "Customers that no longer count as assigned to a person in a pool, credited back with a reason (P45, P47).",
            },
            bases=["TenantModel"],
        ),
        TenantTable("allocation_credit", grants=APPEND_ONLY),
        TenantForeignKey("allocation_credit", "pool_id", "customer_pool"),
        TenantForeignKey("allocation_credit", "employee_id", "employee"),
        TenantForeignKey("allocation_credit", "customer_id", "customer"),
        TenantCheck(
            "allocation_credit",
            "allocation_credit_kind",
            one_of("kind", "no_show", "cancelled", "other") + " AND customers BETWEEN 1 AND 1000",
        ),
        TenantIndex("allocation_credit", "allocation_credit_at", "credited_at, id"),
        TenantIndex("employee_trait", "employee_trait_value", "value, id"),
        TenantIndex("allocation_credit", "allocation_credit_employee", "employee_id, pool_id, credited_on, id"),
        ops.RunSQL(
            "ALTER TABLE pool_event DROP CONSTRAINT pool_event_kind",
            reverse_sql="ALTER TABLE pool_event ADD CONSTRAINT pool_event_kind CHECK ("
            + one_of("kind", *_KINDS_BEFORE)
            + ")",
        ),
        TenantCheck("pool_event", "pool_event_kind", one_of("kind", *_KINDS_BEFORE, "credited")),
        ops.AddField(model_name="PoolStanding", name="calibration", field=fields.IntField(default=0, db_default=0)),
        ops.AddField(model_name="PoolStanding", name="priority", field=fields.IntField(default=0, db_default=0)),
        ops.AddField(
            model_name="AllocationPick",
            name="facts",
            field=fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads),
        ),
        ops.AddField(model_name="PoolAllocation", name="newcomers", field=fields.IntField(null=True)),
        ops.AddField(
            model_name="PoolAllocation",
            name="newcomers_guaranteed",
            field=fields.DecimalField(null=True, max_digits=7, decimal_places=2),
        ),
        ops.AddField(model_name="PoolAllocation", name="newcomers_given", field=fields.IntField(null=True)),
        ops.AddField(model_name="PoolAllocation", name="unplaced", field=fields.IntField(null=True)),
    ]
