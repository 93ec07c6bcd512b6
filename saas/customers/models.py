"""Tables of the customers room."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.fields.db_defaults import SqlDefault
from tortoise.models import Model

from saas.customers.allocation_models import AllocationCredit as AllocationCredit
from saas.customers.allocation_models import EmployeeTrait as EmployeeTrait
from saas.customers.allocation_models import LeaveShare as LeaveShare
from saas.customers.allocation_models import PoolAlert as PoolAlert
from saas.customers.allocation_models import PoolArrival as PoolArrival
from saas.customers.mark_models import HoldingMark as HoldingMark
from saas.customers.mark_models import OwnershipRequest as OwnershipRequest
from saas.customers.mark_models import PoolNotice as PoolNotice
from saas.customers.pool_models import PoolAdministrator as PoolAdministrator
from saas.customers.pool_models import PoolProposal as PoolProposal
from tenants import TenantMeta, TenantModel, current_tenant_id

SETTINGS_BEFORE = (
    '{"claim_limit": 10, "holding_limit": 200, "cooldown_days": 7, "protection_days": 3,'
    ' "recycle_follow_up_days": null, "recycle_deal_days": null, "dealt_exempt": true, "reminder_days": [7, 3, 1],'
    ' "follow_up_kinds": [{"kind": "call", "least_seconds": 30}, {"kind": "visit"}, {"kind": "meeting"},'
    ' {"kind": "note", "least_characters": 20}], "transfer_keeps_clock": true, "grace_days": 7,'
    ' "assign_ignores_cooldown": true, "shows_names": true, "not_before": null}'
)
"""The settings of pools from before there were any: nothing is recycled until somebody says so."""


class CustomerPool(TenantModel):
    """A pool (公海) and its rules: where customers without an owner wait.

    The settings in force stand here, as a claim reads them, in columns and whole; their history is `PoolSetting`.
    `holding_rules` are what counts for the holding limit, null where it is as the product has it.
    `allocations` counts those that were committed; `turn_after` is the turn that the strict method served last. What
    arrived and waits for a fair window is allocated at `arrivals_due_at`.
    """

    name = fields.CharField(max_length=100)
    is_default = fields.BooleanField(default=False, db_default=False)
    status = fields.CharField(max_length=10, default="open", db_default="open")
    claim_limit: int | None = fields.IntField(null=True, default=10, db_default=10)
    holding_limit: int | None = fields.IntField(null=True, default=200, db_default=200)
    holding_rules: dict[str, Any] | None = fields.JSONField(null=True)
    cooldown_days = fields.IntField(default=7, db_default=7)
    shows_names = fields.BooleanField(default=True, db_default=True)
    settings: dict[str, Any] = fields.JSONField(db_default=SqlDefault(f"'{SETTINGS_BEFORE}'"))
    settings_version = fields.IntField(default=1, db_default=1)
    allocations = fields.IntField(default=0, db_default=0)
    turn_after = fields.IntField(null=True)
    arrivals_due_at: datetime | None = fields.DatetimeField(null=True)
    version = fields.IntField(default=1, db_default=1)
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta(TenantMeta):
        table = "customer_pool"


class PoolSetting(TenantModel):
    """What a pool's settings were from a day on; never changed, only followed by the next version."""

    pool_id = fields.UUIDField()
    version = fields.IntField()
    settings: dict[str, Any] = fields.JSONField()
    valid_from = fields.DateField()
    created_at = fields.DatetimeField()
    created_by = fields.UUIDField()
    proposal_id: UUID | None = fields.UUIDField(null=True)

    class Meta(TenantMeta):
        table = "pool_setting"


class PoolDepartment(Model):
    """A department whose people, and those of all departments below, are members of a pool; a pool without one is
    everybody's, unless it names people (`PoolMember`).

    The primary key is (tenant_id, pool_id, department_id); the ORM is told of one column of it.
    """

    tenant_id: UUID = fields.UUIDField(default=current_tenant_id)
    pool_id = fields.UUIDField()
    department_id = fields.UUIDField(primary_key=True)

    class Meta(TenantMeta):
        table = "pool_department"


class PoolMember(Model):
    """A person who is a member of a pool beside the people of its departments.

    The primary key is (tenant_id, pool_id, employee_id); the ORM is told of one column of it.
    """

    tenant_id: UUID = fields.UUIDField(default=current_tenant_id)
    pool_id = fields.UUIDField()
    employee_id = fields.UUIDField(primary_key=True)

    class Meta(TenantMeta):
        table = "pool_member"


class Customer(TenantModel):
    """A company or person that is sold to: pooled (no owner) or owned (one open ownership).

    `due_on` is the day it goes back to the pool by `due_rule`, as the settings of `settings_version` have it; an owned
    customer without that version has not been reckoned yet. Where a change did not reach it, it goes by the rules of an
    `earlier_version`. `effective_follow_up_on` lies within the holding.
    `contract_ends_on` is the last day of the last contract; `declined_on` the day on which falling performance was
    established, null where it is not falling. Since a level brought more days, at `level_raised_at`, recycling counts
    by `counted_level` for as long as that holding lasts.
    """

    pool_id = fields.UUIDField()
    name = fields.CharField(max_length=200)
    name_key = fields.CharField(max_length=300)
    match_key = fields.CharField(max_length=400)
    short_name = fields.CharField(max_length=100, null=True)
    industry = fields.CharField(max_length=100, null=True)
    level = fields.CharField(max_length=20, null=True)
    source = fields.CharField(max_length=40, null=True)
    district_code = fields.CharField(max_length=12, null=True)
    district_name = fields.CharField(max_length=100, null=True)
    language = fields.CharField(max_length=100, null=True)
    required_skill = fields.CharField(max_length=100, null=True)
    wanted_product = fields.CharField(max_length=100, null=True)
    contact_name = fields.CharField(max_length=100, null=True)
    phone_sealed = fields.BinaryField(null=True)
    phone_masked = fields.CharField(max_length=40, null=True)
    phone_index = fields.BinaryField(null=True)
    status = fields.CharField(max_length=20, default="pooled", db_default="pooled")
    owner_id = fields.UUIDField(null=True)
    owner_department_id = fields.UUIDField(null=True)
    received_on = fields.DateField(null=True)
    last_follow_up_at = fields.DatetimeField(null=True)
    effective_follow_up_on = fields.DateField(null=True)
    last_deal_on = fields.DateField(null=True)
    contract_ends_on = fields.DateField(null=True)
    declined_on = fields.DateField(null=True)
    counted_level = fields.CharField(max_length=20, null=True)
    level_raised_at = fields.DatetimeField(null=True)
    due_on = fields.DateField(null=True)
    due_rule = fields.CharField(max_length=20, null=True)
    settings_version = fields.IntField(null=True)
    earlier_version = fields.IntField(null=True)
    external_system = fields.CharField(max_length=40, null=True)
    external_key = fields.CharField(max_length=100, null=True)
    version = fields.IntField(default=1, db_default=1)
    created_at = fields.DatetimeField()

    class Meta(TenantMeta):
        table = "customer"


class Ownership(TenantModel):
    """One holding of a customer by one owner; at most one is open per customer."""

    customer_id = fields.UUIDField()
    owner_id = fields.UUIDField()
    owner_department_id = fields.UUIDField()
    pool_id = fields.UUIDField()
    started_at = fields.DatetimeField()
    started_on = fields.DateField()
    ended_at = fields.DatetimeField(null=True)
    ended_on = fields.DateField(null=True)
    start_kind = fields.CharField(max_length=20)
    end_kind = fields.CharField(max_length=20, null=True)
    operator_id = fields.UUIDField()
    reason = fields.CharField(max_length=200, null=True)

    class Meta(TenantMeta):
        table = "ownership"


class ClaimCount(Model):
    """Claim events of one person from one pool on one day of the tenant's calendar; never given back.

    The primary key is (tenant_id, pool_id, employee_id, counted_on); the ORM is told of one column of it.
    """

    tenant_id: UUID = fields.UUIDField(default=current_tenant_id)
    pool_id = fields.UUIDField()
    employee_id = fields.UUIDField(primary_key=True)
    counted_on = fields.DateField()
    claims = fields.IntField()

    class Meta(TenantMeta):
        table = "claim_count"


class PoolViewCount(Model):
    """How many customers of a pool one person opened by id on one day of the tenant's calendar, and the limit then.

    The primary key is (tenant_id, pool_id, account_id, counted_on); the ORM is told of one column of it.
    """

    tenant_id: UUID = fields.UUIDField(default=current_tenant_id)
    pool_id = fields.UUIDField()
    account_id = fields.UUIDField(primary_key=True)
    counted_on = fields.DateField()
    views = fields.IntField()
    most: int | None = fields.IntField(null=True)

    class Meta(TenantMeta):
        table = "pool_view_count"


class RefusedCheckCount(Model):
    """How often the duplicate check refused one person on one day of the tenant's calendar.

    The primary key is (tenant_id, account_id, counted_on); the ORM is told of one column of it.
    """

    tenant_id: UUID = fields.UUIDField(default=current_tenant_id)
    account_id = fields.UUIDField(primary_key=True)
    counted_on = fields.DateField()
    refusals = fields.IntField()

    class Meta(TenantMeta):
        table = "refused_check_count"


class ClaimRefusalCount(Model):
    """How many claims from a pool one rule refused on one day of the tenant's calendar.

    The primary key is (tenant_id, pool_id, counted_on, rule); the ORM is told of one column of it.
    """

    tenant_id: UUID = fields.UUIDField(default=current_tenant_id)
    pool_id = fields.UUIDField()
    counted_on = fields.DateField()
    rule = fields.CharField(max_length=20, primary_key=True)
    refusals = fields.IntField()

    class Meta(TenantMeta):
        table = "claim_refusal_count"


class PoolEvent(TenantModel):
    """A line of the pool's public ledger (公示): who claimed, was given or lost what, when and why; never changed.

    `employee_id` owns the customer afterwards, or is told of it; `former_owner_id` owned it before. Without an operator
    it was a job. `explanation` is the tree that explains a decision. `xid` is the number of the writing transaction,
    filled in by the database: lines become final in the order of (xid, id); null in those from before there was any.
    """

    pool_id = fields.UUIDField()
    customer_id: UUID | None = fields.UUIDField(null=True)
    kind = fields.CharField(max_length=20)
    employee_id: UUID | None = fields.UUIDField(null=True)
    former_owner_id: UUID | None = fields.UUIDField(null=True)
    operator_id: UUID | None = fields.UUIDField(null=True)
    happened_at = fields.DatetimeField()
    happened_on = fields.DateField()
    reason = fields.CharField(max_length=200, null=True)
    rule = fields.CharField(max_length=20, null=True)
    allocation_id: UUID | None = fields.UUIDField(null=True)
    settings_version = fields.IntField(null=True)
    explanation: dict[str, Any] | None = fields.JSONField(null=True)
    xid: int | None = fields.BigIntField(null=True)

    class Meta(TenantMeta):
        table = "pool_event"


class RecycleRun(TenantModel):
    """A day's run of the recycling job: what it did, and whether it came to its end.

    Each pool has its own; rows from before that name none. `missed_days` are those before it without a run.
    """

    pool_id: UUID | None = fields.UUIDField(null=True)
    ran_on = fields.DateField()
    started_at = fields.DatetimeField()
    finished_at: datetime | None = fields.DatetimeField(null=True)
    missed_days = fields.IntField(default=0, db_default=0)
    reckoned = fields.IntField(default=0, db_default=0)
    recycled = fields.IntField(default=0, db_default=0)
    warned = fields.IntField(default=0, db_default=0)
    postponed = fields.IntField(default=0, db_default=0)
    failed = fields.IntField(default=0, db_default=0)

    class Meta(TenantMeta):
        table = "recycle_run"


class PoolAllocation(TenantModel):
    """An allocation: its frozen roster, and what became of it.

    Where a job makes the plan, `wish` is what was asked for until then; where one gives the customers, `commit_order`
    says in whose name. `problems` are what the job was refused last.
    `roster` holds candidates, plan and seed; the customers are the picks, in their order. `shares` are those of the
    candidates in percent, null for who has none, where the method deals by share. A draw's `sealed` holds its
    seed and salt key until it is drawn; `commitment` was published before, `certificate` is written after.
    `newcomers` had a guarantee, together of so many percent, and get so much; nobody could have those `unplaced`.
    """

    pool_id = fields.UUIDField()
    method = fields.CharField(max_length=20)
    state = fields.CharField(max_length=10)
    wish: dict[str, Any] | None = fields.JSONField(null=True)
    allocated_on: date | None = fields.DateField(null=True)
    settings_version: int | None = fields.IntField(null=True)
    roster: dict[str, Any] | None = fields.JSONField(null=True)
    plan_hash = fields.CharField(max_length=64, null=True)
    customers: int | None = fields.IntField(null=True)
    commit_order: dict[str, Any] | None = fields.JSONField(null=True)
    problems: list[dict[str, Any]] | None = fields.JSONField(null=True)
    given = fields.IntField(default=0, db_default=0)
    skipped = fields.IntField(default=0, db_default=0)
    sealed: bytes | None = fields.BinaryField(null=True)
    commitment = fields.CharField(max_length=64, null=True)
    commitment_document: dict[str, Any] | None = fields.JSONField(null=True)
    picks_root = fields.CharField(max_length=64, null=True)
    certificate: str | None = fields.TextField(null=True)
    shares: list[str | None] | None = fields.JSONField(null=True)
    newcomers: int | None = fields.IntField(null=True)
    newcomers_guaranteed: Decimal | None = fields.DecimalField(null=True, max_digits=7, decimal_places=2)
    newcomers_given: int | None = fields.IntField(null=True)
    unplaced: int | None = fields.IntField(null=True)
    created_at = fields.DatetimeField()
    created_by = fields.UUIDField()
    closed_at: datetime | None = fields.DatetimeField(null=True)
    closed_by: UUID | None = fields.UUIDField(null=True)

    class Meta(TenantMeta):
        table = "pool_allocation"


class AllocationPick(TenantModel):
    """A customer of an allocation, in its order, and where it goes; `employee_id` is null before a draw, and where
    `nobody` says why it stays in the pool; where it `is_overflow`, the overflow assignee gets it all the same (P13).
    `state` tells what became of it. `facts` are what the method knew of it.
    """

    allocation_id = fields.UUIDField()
    place = fields.IntField()
    customer_id = fields.UUIDField()
    customer_version = fields.IntField()
    label = fields.CharField(max_length=40)
    facts: dict[str, Any] | None = fields.JSONField(null=True)
    employee_id: UUID | None = fields.UUIDField(null=True)
    nobody = fields.CharField(max_length=20, null=True)
    is_overflow = fields.BooleanField(default=False, db_default=False)
    state = fields.CharField(max_length=10)

    class Meta(TenantMeta):
        table = "allocation_pick"


class AllocationTally(TenantModel):
    """What the candidates of an allocation had received before a place, in their order on the roster: turns, records
    of customers, and the place of the last, null for none. There is one for every thousandth place.
    """

    allocation_id = fields.UUIDField()
    place = fields.IntField()
    turns: list[int] = fields.JSONField()
    records: list[int] = fields.JSONField()
    last_places: list[int | None] = fields.JSONField()

    class Meta(TenantMeta):
        table = "allocation_tally"


class PoolStanding(Model):
    """What a method carries from one allocation of a pool to the next: what is owed to a person, and their turn.
    By level it is where a person's level begins, and how early they come among equal ones.

    The primary key is (tenant_id, pool_id, method, employee_id); the ORM is told of one column of it.
    """

    tenant_id: UUID = fields.UUIDField(default=current_tenant_id)
    pool_id = fields.UUIDField()
    method = fields.CharField(max_length=20)
    employee_id = fields.UUIDField(primary_key=True)
    balance: Decimal = fields.DecimalField(max_digits=30, decimal_places=18, default=0, db_default=0)
    turn = fields.IntField(null=True)
    calibration = fields.IntField(default=0, db_default=0)
    priority = fields.IntField(default=0, db_default=0)

    class Meta(TenantMeta):
        table = "pool_standing"
