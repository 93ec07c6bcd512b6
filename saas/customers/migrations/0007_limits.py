"""What counts for the holding limit, limits that may be off, and people as members of pools (P01, P05, P09 to P11)."""

from tortoise import fields
from tortoise.migrations import operations as ops
from tortoise.migrations.operations import RunSQL

from tenants.database import current_tenant_id
from tenants.schema import APP, PLATFORM, RoomMigration, TenantForeignKey, TenantIndex, TenantTable

COUNTS_AS_HELD = [
    """
    CREATE FUNCTION counts_as_held(last_deal_on date, level text, source text, industry text, rules jsonb)
    RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT (last_deal_on IS NULL OR coalesce((rules ->> 'counts_dealt')::boolean, false))
           AND NOT coalesce(rules -> 'uncounted_levels' ? level, false)
           AND NOT coalesce(rules -> 'uncounted_sources' ? source, false)
           AND NOT coalesce(rules -> 'uncounted_industries' ? industry, false)
    $$
    """,
    "REVOKE ALL ON FUNCTION counts_as_held FROM PUBLIC",
    f"GRANT EXECUTE ON FUNCTION counts_as_held TO {APP}, {PLATFORM}",
]
"""Whether a customer counts for the holding limit by a pool's rules (P10, P11); null is the product's own: all that have
no deal.
"""

CLAIMANT_LOAD = [
    "DROP FUNCTION claimant_load",
    """
    CREATE FUNCTION claimant_load(
        tenant uuid, claimant uuid, pool uuid, today date, rules jsonb,
        OUT department uuid, OUT claims integer, OUT holding integer
    ) LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        SELECT e.department_id INTO department FROM public.employee e
        WHERE e.tenant_id = tenant AND e.id = claimant AND e.status = 'active' FOR NO KEY UPDATE;
        IF NOT FOUND THEN RETURN; END IF;
        claims := coalesce((SELECT n.claims FROM public.claim_count n WHERE n.tenant_id = tenant AND n.pool_id = pool
                            AND n.employee_id = claimant AND n.counted_on = today), 0);
        IF rules IS NULL THEN
            SELECT count(*) INTO holding FROM public.customer c
            WHERE c.tenant_id = tenant AND c.owner_id = claimant AND c.last_deal_on IS NULL;
        ELSE
            SELECT count(*) INTO holding FROM public.customer c WHERE c.tenant_id = tenant AND c.owner_id = claimant
                AND public.counts_as_held(c.last_deal_on, c.level, c.source, c.industry, rules);
        END IF;
    END $$
    """,
    "REVOKE ALL ON FUNCTION claimant_load FROM PUBLIC",
    f"GRANT EXECUTE ON FUNCTION claimant_load TO {APP}, {PLATFORM}",
]
"""As before, but what does not count for the holding limit is left out (P10, P11). By the product's own rules the
index alone is counted.
"""


class Migration(RoomMigration):
    dependencies = [("customers", "0006_holding_marks")]

    operations = [
        ops.AlterField(
            model_name="CustomerPool",
            name="claim_limit",
            field=fields.IntField(null=True, default=10, db_default=10),
        ),
        ops.AlterField(
            model_name="CustomerPool",
            name="holding_limit",
            field=fields.IntField(null=True, default=200, db_default=200),
        ),
        ops.AddField(model_name="CustomerPool", name="holding_rules", field=fields.JSONField(null=True)),
        ops.CreateModel(
            name="PoolMember",
            fields=[
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("pool_id", fields.UUIDField()),
                ("employee_id", fields.UUIDField(primary_key=True, unique=True, db_index=True)),
            ],
            options={
                "table": "pool_member",
                "app": "customers",
                "pk_attr": "employee_id",
                "table_description": "A person who is a member of a pool beside the people of its departments.",
            },
            bases=["Model"],
        ),
        TenantTable("pool_member", key=("pool_id", "employee_id")),
        TenantForeignKey("pool_member", "pool_id", "customer_pool"),
        TenantForeignKey("pool_member", "employee_id", "employee"),
        TenantIndex("pool_member", "pool_member_employee", "employee_id, pool_id"),
        RunSQL("DROP INDEX customer_owner", reverse_sql="SELECT 1"),
        TenantIndex("customer", "customer_owner", "owner_id, created_at, id, last_deal_on"),
        RunSQL(COUNTS_AS_HELD, reverse_sql="DROP FUNCTION counts_as_held"),
        RunSQL(CLAIMANT_LOAD, reverse_sql="SELECT 1"),
    ]
