from tortoise.migrations import operations as ops
from saas.kernel.ids import new_id
from tenants.database import current_tenant_id
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

CLAIMANT_LOAD = [
    """
    CREATE FUNCTION claimant_load(
        tenant uuid, claimant uuid, pool uuid, today date,
        OUT department uuid, OUT claims integer, OUT holding integer
    ) LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        SELECT e.department_id INTO department FROM public.employee e
        WHERE e.tenant_id = tenant AND e.id = claimant AND e.status = 'active' FOR NO KEY UPDATE;
        IF NOT FOUND THEN RETURN; END IF;
        SELECT coalesce((SELECT n.claims FROM public.claim_count n WHERE n.tenant_id = tenant AND n.pool_id = pool
                         AND n.employee_id = claimant AND n.counted_on = today), 0),
               (SELECT count(*) FROM public.customer c WHERE c.tenant_id = tenant AND c.owner_id = claimant)
        INTO claims, holding;
    END $$
    """,
    "REVOKE ALL ON FUNCTION claimant_load FROM PUBLIC",
    f"GRANT EXECUTE ON FUNCTION claimant_load TO {APP}, {PLATFORM}",
]
"""Lock the claimant, then count: what a person may still claim and hold, true until the transaction ends.

A function, because each statement of a volatile one sees what was committed before *it* began. So the counts see the
claim that the lock waited for, which they would not within one plain statement, and a claim saves a round trip. It
runs with the caller's rights, under row-level security. Claims of different people don't wait for each other.
"""


class Migration(RoomMigration):
    initial = True

    dependencies = [("people", "0001_people")]

    operations = [
        ops.CreateModel(
            name="ClaimCount",
            fields=[
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("pool_id", fields.UUIDField()),
                ("employee_id", fields.UUIDField(primary_key=True, unique=True, db_index=True)),
                ("counted_on", fields.DateField()),
                ("claims", fields.IntField()),
            ],
            options={
                "table": "claim_count",
                "app": "customers",
                "pk_attr": "employee_id",
                "table_description": "Claim events of one person from one pool on one day of the tenant's calendar; never given back.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Customer",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("pool_id", fields.UUIDField()),
                ("name", fields.CharField(max_length=200)),
                ("name_key", fields.CharField(max_length=300)),
                ("match_key", fields.CharField(max_length=400)),
                ("short_name", fields.CharField(null=True, max_length=100)),
                ("industry", fields.CharField(null=True, max_length=100)),
                ("level", fields.CharField(null=True, max_length=20)),
                ("source", fields.CharField(null=True, max_length=40)),
                ("district_code", fields.CharField(null=True, max_length=12)),
                ("district_name", fields.CharField(null=True, max_length=100)),
                ("contact_name", fields.CharField(null=True, max_length=100)),
                ("phone_sealed", fields.BinaryField(null=True)),
                ("phone_masked", fields.CharField(null=True, max_length=40)),
                ("phone_index", fields.BinaryField(null=True)),
                ("status", fields.CharField(default="pooled", db_default="pooled", max_length=20)),
                ("owner_id", fields.UUIDField(null=True)),
                ("owner_department_id", fields.UUIDField(null=True)),
                ("received_on", fields.DateField(null=True)),
                ("last_follow_up_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("external_system", fields.CharField(null=True, max_length=40)),
                ("external_key", fields.CharField(null=True, max_length=100)),
                ("version", fields.IntField(default=1, db_default=1)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "customer",
                "app": "customers",
                "pk_attr": "id",
                "table_description": "A company or person that is sold to: pooled (no owner) or owned (one open ownership).",
            },
            bases=["TenantModel"],
        ),
        ops.CreateModel(
            name="CustomerPool",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("name", fields.CharField(max_length=100)),
                ("is_default", fields.BooleanField(default=False, db_default=False)),
                ("claim_limit", fields.IntField(default=10, db_default=10)),
                ("holding_limit", fields.IntField(default=200, db_default=200)),
                ("cooldown_days", fields.IntField(default=7, db_default=7)),
                ("version", fields.IntField(default=1, db_default=1)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
            ],
            options={
                "table": "customer_pool",
                "app": "customers",
                "pk_attr": "id",
                "table_description": "A pool (公海) and its rules: where customers without an owner wait.",
            },
            bases=["TenantModel"],
        ),
        ops.CreateModel(
            name="Ownership",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("customer_id", fields.UUIDField()),
                ("owner_id", fields.UUIDField()),
                ("owner_department_id", fields.UUIDField()),
                ("pool_id", fields.UUIDField()),
                ("started_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("started_on", fields.DateField()),
                ("ended_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("ended_on", fields.DateField(null=True)),
                ("start_kind", fields.CharField(max_length=20)),
                ("end_kind", fields.CharField(null=True, max_length=20)),
                ("operator_id", fields.UUIDField()),
                ("reason", fields.CharField(null=True, max_length=200)),
            ],
            options={
                "table": "ownership",
                "app": "customers",
                "pk_attr": "id",
                "table_description": "One holding of a customer by one owner; at most one is open per customer.",
            },
            bases=["TenantModel"],
        ),
        TenantTable("customer_pool"),
        TenantTable("customer"),
        TenantTable("ownership"),
        TenantTable("claim_count", key=("pool_id", "employee_id", "counted_on")),
        OrderedText("customer", "name", "name_key", "match_key", "district_code", "industry", "level", "source"),
        OrderedText("customer_pool", "name"),
        TenantForeignKey("customer", "pool_id", "customer_pool"),
        TenantForeignKey("customer", "owner_id", "employee"),
        TenantForeignKey("customer", "owner_department_id", "department"),
        TenantForeignKey("ownership", "customer_id", "customer"),
        TenantForeignKey("ownership", "owner_id", "employee"),
        TenantForeignKey("ownership", "owner_department_id", "department"),
        TenantForeignKey("ownership", "pool_id", "customer_pool"),
        TenantForeignKey("claim_count", "pool_id", "customer_pool"),
        TenantForeignKey("claim_count", "employee_id", "employee"),
        TenantCheck("customer", "customer_status", one_of("status", "pooled", "owned")),
        TenantCheck(
            "customer",
            "customer_owned_or_pooled",
            "(status = 'owned') = (owner_id IS NOT NULL) AND (owner_id IS NULL) = (owner_department_id IS NULL)",
        ),
        TenantCheck(
            "ownership",
            "ownership_start_kind",
            one_of("start_kind", "created", "imported", "claim", "assign", "transfer"),
        ),
        TenantCheck(
            "ownership",
            "ownership_end",
            "(ended_at IS NULL) = (end_kind IS NULL) AND (ended_at IS NULL) = (ended_on IS NULL) AND "
            + one_of("coalesce(end_kind, 'release')", "release", "recycle", "transfer", "merge", "separation"),
        ),
        TenantCheck(
            "customer_pool",
            "customer_pool_limits",
            "claim_limit BETWEEN 0 AND 200 AND holding_limit >= 0 AND cooldown_days >= 0",
        ),
        TenantIndex("customer_pool", "customer_pool_default", "is_default", unique=True, where="is_default"),
        TenantIndex("customer_pool", "customer_pool_name", "name, id"),
        TenantIndex("customer", "customer_name", "name_key, id"),
        TenantIndex("customer", "customer_plain_name", "name, id"),
        TenantIndex("customer", "customer_match", "match_key"),
        TenantIndex("customer", "customer_created", "created_at, id"),
        TenantIndex("customer", "customer_status_created", "status, created_at, id"),
        TenantIndex("customer", "customer_owner", "owner_id, created_at, id"),
        TenantIndex("customer", "customer_owner_name", "owner_id, name_key, id"),
        TenantIndex("customer", "customer_owner_department", "owner_department_id, created_at, id"),
        TenantIndex("customer", "customer_pool_created", "pool_id, created_at, id"),
        TenantIndex("customer", "customer_district", "district_code, created_at, id"),
        TenantIndex("customer", "customer_industry", "industry, created_at, id"),
        TenantIndex("customer", "customer_level", "level, created_at, id"),
        TenantIndex("customer", "customer_source", "source, created_at, id"),
        TenantIndex("customer", "customer_received", "received_on, id"),
        TenantIndex("customer", "customer_followed", "last_follow_up_at, id"),
        TenantIndex("customer", "customer_phone", "phone_index"),
        TenantIndex(
            "customer",
            "customer_external",
            "external_system, external_key",
            unique=True,
            where="external_key IS NOT NULL",
        ),
        TenantIndex("ownership", "ownership_open", "customer_id", unique=True, where="ended_at IS NULL"),
        TenantIndex("ownership", "ownership_customer", "customer_id, started_at, id"),
        TenantIndex("ownership", "ownership_owner", "owner_id, started_at, id"),
        TenantIndex("ownership", "ownership_started", "started_at, id"),
        ops.RunSQL(CLAIMANT_LOAD, reverse_sql="DROP FUNCTION claimant_load"),
    ]
