"""Changes of pools that a second person decides about (P49, L28), and people who administer pools (P01)."""

from tortoise import fields
from tortoise.migrations import operations as ops
from saas.kernel.ids import new_id
from tenants.database import current_tenant_id

from tenants.schema import RoomMigration, TenantCheck, TenantForeignKey, TenantIndex, TenantTable, one_of


class Migration(RoomMigration):
    dependencies = [("customers", "0013_earlier_rules")]

    operations = [
        ops.CreateModel(
            name="PoolProposal",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("pool_id", fields.UUIDField()),
                ("state", fields.CharField(max_length=10)),
                ("settings", fields.JSONField()),
                ("valid_from", fields.DateField(null=True)),
                ("settings_version", fields.IntField()),
                ("reason", fields.CharField(max_length=200)),
                ("proposed_by", fields.UUIDField()),
                ("proposer_id", fields.UUIDField(null=True)),
                ("proposed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("proposed_on", fields.DateField()),
                ("decided_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("decided_by", fields.UUIDField(null=True)),
                ("decider_id", fields.UUIDField(null=True)),
                ("decision_reason", fields.CharField(null=True, max_length=200)),
                ("approved_version", fields.IntField(null=True)),
            ],
            options={
                "table": "pool_proposal",
                "app": "customers",
                "pk_attr": "id",
                "table_description": "A change of a pool's settings that was proposed, and what a second person decided "
                "(P49, L28).",
            },
            bases=["TenantModel"],
        ),
        ops.AddField(model_name="PoolSetting", name="proposal_id", field=fields.UUIDField(null=True)),
        ops.CreateModel(
            name="PoolAdministrator",
            fields=[
                ("tenant_id", fields.UUIDField(default=current_tenant_id)),
                ("pool_id", fields.UUIDField()),
                ("employee_id", fields.UUIDField(primary_key=True, unique=True, db_index=True)),
            ],
            options={
                "table": "pool_administrator",
                "app": "customers",
                "pk_attr": "employee_id",
                "table_description": "A person who administers a pool; one without any is administered by whoever may "
                "assign (P01).",
            },
            bases=["Model"],
        ),
        TenantTable("pool_administrator", key=("pool_id", "employee_id")),
        TenantForeignKey("pool_administrator", "pool_id", "customer_pool"),
        TenantForeignKey("pool_administrator", "employee_id", "employee"),
        TenantIndex("pool_administrator", "pool_administrator_employee", "employee_id, pool_id"),
        TenantTable("pool_proposal"),
        TenantForeignKey("pool_proposal", "pool_id", "customer_pool"),
        TenantForeignKey("pool_proposal", "proposer_id", "employee"),
        TenantForeignKey("pool_proposal", "decider_id", "employee"),
        TenantForeignKey("pool_setting", "proposal_id", "pool_proposal"),
        TenantCheck(
            "pool_proposal",
            "pool_proposal_state",
            one_of("state", "proposed", "approved", "refused", "withdrawn", "lapsed")
            + " AND (state = 'proposed') = (decided_at IS NULL)"
            + " AND (state IN ('approved', 'refused')) = (decided_by IS NOT NULL)"
            + " AND (state = 'approved') = (approved_version IS NOT NULL)",
        ),
        TenantCheck(
            "pool_proposal",
            "pool_proposal_two_people",
            "(decided_by IS NULL OR decided_by <> proposed_by) AND (decider_id IS NULL OR proposer_id IS NULL"
            " OR decider_id <> proposer_id)",
        ),
        TenantIndex("pool_proposal", "pool_proposal_proposed", "proposed_at, id"),
        TenantIndex("pool_proposal", "pool_proposal_pool", "pool_id, proposed_at, id"),
        TenantIndex("pool_proposal", "pool_proposal_state_proposed", "state, proposed_at, id"),
        TenantIndex(
            "pool_proposal",
            "pool_proposal_once",
            "pool_id, proposed_by",
            unique=True,
            where="state = 'proposed'",
        ),
        TenantIndex("pool_setting", "pool_setting_proposal", "proposal_id", where="proposal_id IS NOT NULL"),
    ]
