"""Locks, protections and extensions of owned customers (P15, P16, P33)."""

from tortoise import fields
from tortoise.migrations import operations as ops
from saas.kernel.ids import new_id
from tenants.database import current_tenant_id

from tenants.schema import RoomMigration, TenantCheck, TenantForeignKey, TenantIndex, TenantTable, one_of

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
)
_KINDS = (*_KINDS_BEFORE, "locked", "protected", "extended", "freed")


class Migration(RoomMigration):
    dependencies = [("customers", "0005_explained_from_picks")]

    operations = [
        ops.CreateModel(
            name="HoldingMark",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("customer_id", fields.UUIDField()),
                ("ownership_id", fields.UUIDField()),
                ("owner_id", fields.UUIDField()),
                ("owner_department_id", fields.UUIDField()),
                ("pool_id", fields.UUIDField()),
                ("kind", fields.CharField(max_length=10)),
                ("state", fields.CharField(max_length=10)),
                ("days", fields.IntField()),
                ("reason", fields.CharField(max_length=200)),
                ("until_on", fields.DateField(null=True)),
                ("requested_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("requested_on", fields.DateField()),
                ("decided_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("decided_by", fields.UUIDField(null=True)),
                ("decision_reason", fields.CharField(null=True, max_length=200)),
                ("ended_on", fields.DateField(null=True)),
            ],
            options={
                "table": "holding_mark",
                "app": "customers",
                "pk_attr": "id",
                "table_description": "A lock, a protection or an extension of an ownership, from the day it was asked for.",
            },
            bases=["TenantModel"],
        ),
        TenantTable("holding_mark"),
        TenantForeignKey("holding_mark", "customer_id", "customer"),
        TenantForeignKey("holding_mark", "ownership_id", "ownership"),
        TenantForeignKey("holding_mark", "owner_id", "employee"),
        TenantForeignKey("holding_mark", "owner_department_id", "department"),
        TenantForeignKey("holding_mark", "pool_id", "customer_pool"),
        TenantCheck("holding_mark", "holding_mark_kind", one_of("kind", "lock", "protection", "extension")),
        TenantCheck(
            "holding_mark",
            "holding_mark_state",
            one_of("state", "requested", "in_force", "refused", "ended")
            + " AND (state = 'in_force') <= (until_on IS NOT NULL) AND (state = 'ended') = (ended_on IS NOT NULL)"
            + " AND (state = 'requested') <= (kind = 'extension')",
        ),
        TenantIndex("holding_mark", "holding_mark_customer", "customer_id, requested_at, id"),
        TenantIndex("holding_mark", "holding_mark_owner", "owner_id, requested_at, id"),
        TenantIndex("holding_mark", "holding_mark_department", "owner_department_id, requested_at, id"),
        TenantIndex("holding_mark", "holding_mark_requested", "requested_at, id"),
        TenantIndex("holding_mark", "holding_mark_state_requested", "state, requested_at, id"),
        TenantIndex("holding_mark", "holding_mark_kind_requested", "kind, requested_at, id"),
        TenantIndex(
            "holding_mark", "holding_mark_asked_once", "ownership_id, kind", unique=True, where="state = 'requested'"
        ),
        ops.RunSQL(
            "ALTER TABLE pool_event DROP CONSTRAINT pool_event_kind",
            reverse_sql="ALTER TABLE pool_event ADD CONSTRAINT pool_event_kind CHECK ("
            + one_of("kind", *_KINDS_BEFORE)
            + ")",
        ),
        TenantCheck("pool_event", "pool_event_kind", one_of("kind", *_KINDS)),
    ]
