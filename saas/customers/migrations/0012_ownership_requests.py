"""Claims and assignments that are asked for and decided by a second person (P49)."""

from tortoise import fields
from tortoise.migrations import operations as ops
from saas.kernel.ids import new_id
from tenants.database import current_tenant_id

from tenants.schema import RoomMigration, TenantCheck, TenantForeignKey, TenantIndex, TenantTable, one_of


class Migration(RoomMigration):
    dependencies = [("customers", "0011_runs_of_pools")]

    operations = [
        ops.CreateModel(
            name="OwnershipRequest",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("kind", fields.CharField(max_length=10)),
                ("state", fields.CharField(max_length=10)),
                ("pool_id", fields.UUIDField()),
                ("customer_id", fields.UUIDField()),
                ("employee_id", fields.UUIDField()),
                ("employee_department_id", fields.UUIDField()),
                ("requested_by", fields.UUIDField()),
                ("requester_id", fields.UUIDField(null=True)),
                ("reason", fields.CharField(max_length=200)),
                ("requested_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("requested_on", fields.DateField()),
                ("decided_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("decided_by", fields.UUIDField(null=True)),
                ("decision_reason", fields.CharField(null=True, max_length=200)),
            ],
            options={
                "table": "ownership_request",
                "app": "customers",
                "pk_attr": "id",
                "table_description": "A claim or an assignment that was asked for, and what was decided (P49).",
            },
            bases=["TenantModel"],
        ),
        TenantTable("ownership_request"),
        TenantForeignKey("ownership_request", "pool_id", "customer_pool"),
        TenantForeignKey("ownership_request", "customer_id", "customer"),
        TenantForeignKey("ownership_request", "employee_id", "employee"),
        TenantForeignKey("ownership_request", "employee_department_id", "department"),
        TenantForeignKey("ownership_request", "requester_id", "employee"),
        TenantCheck("ownership_request", "ownership_request_kind", one_of("kind", "claim", "assign")),
        TenantCheck(
            "ownership_request",
            "ownership_request_state",
            one_of("state", "requested", "granted", "refused", "withdrawn", "lapsed")
            + " AND (state = 'requested') = (decided_at IS NULL)"
            + " AND (state IN ('granted', 'refused')) = (decided_by IS NOT NULL)",
        ),
        TenantCheck(
            "ownership_request", "ownership_request_two_people", "decided_by IS NULL OR decided_by <> requested_by"
        ),
        TenantIndex("ownership_request", "ownership_request_customer", "customer_id, requested_at, id"),
        TenantIndex("ownership_request", "ownership_request_employee", "employee_id, requested_at, id"),
        TenantIndex("ownership_request", "ownership_request_requester", "requester_id, requested_at, id"),
        TenantIndex("ownership_request", "ownership_request_department", "employee_department_id, requested_at, id"),
        TenantIndex("ownership_request", "ownership_request_requested", "requested_at, id"),
        TenantIndex("ownership_request", "ownership_request_state_requested", "state, requested_at, id"),
        TenantIndex(
            "ownership_request",
            "ownership_request_asked_once",
            "customer_id, employee_id",
            unique=True,
            where="state = 'requested'",
        ),
    ]
