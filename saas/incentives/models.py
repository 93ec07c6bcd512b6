"""Tables of the incentives room. Amounts are whole numbers of the currency's smallest unit (docs/adr/0018).

Who did something is kept twice: the account, by which two people are told apart, and the person on the staff, where
there is one, by whom it is shown.
"""

from __future__ import annotations

from typing import Any

from tortoise import fields

from tenants import TenantMeta, TenantModel


class IncentivePlan(TenantModel):
    """A plan with the terms that hold for all its time; what it pays stands in its versions."""

    code = fields.CharField(max_length=40)
    title = fields.CharField(max_length=100)
    currency = fields.CharField(max_length=3)
    cycle = fields.CharField(max_length=20)
    measure = fields.CharField(max_length=20)
    with_vat = fields.BooleanField()
    vat_rate_at = fields.CharField(max_length=20)
    anchor = fields.CharField(max_length=20)
    payability = fields.CharField(max_length=20)
    tier_window = fields.CharField(max_length=20)
    created_at = fields.DatetimeField()

    class Meta(TenantMeta):
        table = "incentive_plan"


class IncentivePlanVersion(TenantModel):
    """The rules of a plan for some time. `content` is the plan with this version alone, `content_hash` of its text.

    A draft may be saved again, a published version never; the next one ends it.
    """

    plan_id = fields.UUIDField()
    number = fields.IntField()
    state = fields.CharField(max_length=20)
    content: dict[str, Any] = fields.JSONField()
    content_hash = fields.CharField(max_length=64)
    valid_from = fields.DateField()
    valid_to = fields.DateField(null=True)
    reason = fields.CharField(max_length=500, null=True)
    author_account_id = fields.UUIDField()
    author_id = fields.UUIDField(null=True)
    saved_at = fields.DatetimeField()
    known_at = fields.DatetimeField(null=True)
    publisher_account_id = fields.UUIDField(null=True)
    publisher_id = fields.UUIDField(null=True)

    class Meta(TenantMeta):
        table = "incentive_plan_version"


class IncentiveParticipant(TenantModel):
    """A person, or a department with all below it, for whom a plan is; a plan without any is everybody's."""

    plan_id = fields.UUIDField()
    employee_id = fields.UUIDField(null=True)
    department_id = fields.UUIDField(null=True)
    valid_from = fields.DateField()
    valid_to = fields.DateField(null=True)
    known_at = fields.DatetimeField()

    class Meta(TenantMeta):
        table = "incentive_participant"


class DealStage(TenantModel):
    """A stage of its contract that a deal has reached; with a collection, the stage that this was asked for."""

    deal_id = fields.UUIDField()
    collection_id = fields.UUIDField(null=True)
    stage = fields.CharField(max_length=40)
    reached_on = fields.DateField()
    known_at = fields.DatetimeField()

    class Meta(TenantMeta):
        table = "deal_stage"


class Settlement(TenantModel):
    """What a plan pays for a period. Sums are null for groups so small that they would tell what somebody gets.

    While one is calculating, or when it has failed, another of the same period may stand: the draft that it is to
    replace. `expected_hash` is the result that was asked for, `basis_hash` of the rules that it goes by.
    """

    plan_id = fields.UUIDField()
    period_first = fields.DateField()
    period_until = fields.DateField()
    state = fields.CharField(max_length=20)
    expected_hash = fields.CharField(max_length=64, null=True)
    basis_hash = fields.CharField(max_length=64, null=True)
    plan_hash = fields.CharField(max_length=64, null=True)
    people_count = fields.IntField()
    line_count = fields.IntField()
    adjustment_count = fields.IntField()
    earned_minor = fields.BigIntField(null=True)
    payable_minor = fields.BigIntField(null=True)
    calculated_at = fields.DatetimeField(null=True)
    calculator_account_id = fields.UUIDField()
    calculator_id = fields.UUIDField(null=True)
    approved_at = fields.DatetimeField(null=True)
    approver_account_id = fields.UUIDField(null=True)
    approver_id = fields.UUIDField(null=True)
    locked_at = fields.DatetimeField(null=True)

    class Meta(TenantMeta):
        table = "settlement"


class SettlementPart(TenantModel):
    """One person of a settlement that is being calculated: lines and amounts as they will stand in it.

    With the last person they become accruals and a statement, whose amounts are sealed for that from the beginning.
    """

    settlement_id = fields.UUIDField()
    employee_id = fields.UUIDField()
    share_count = fields.IntField()
    is_calculated = fields.BooleanField(default=False, db_default=False)
    lines: list[dict[str, Any]] | None = fields.JSONField(null=True)
    waiting: list[str] | None = fields.JSONField(null=True)
    line_count = fields.IntField(default=0, db_default=0)
    adjustment_count = fields.IntField(default=0, db_default=0)
    legal_entity_id = fields.UUIDField(null=True)
    earned_sealed = fields.BinaryField(null=True)
    brought_sealed = fields.BinaryField(null=True)
    payable_sealed = fields.BinaryField(null=True)
    carried_sealed = fields.BinaryField(null=True)
    balances_sealed = fields.BinaryField(null=True)
    digest_sealed = fields.BinaryField(null=True)

    class Meta(TenantMeta):
        table = "settlement_part"


class SettlementProblem(TenantModel):
    """Why a settlement could not be calculated: a sentence by its key and values, in the order found."""

    settlement_id = fields.UUIDField()
    place = fields.IntField()
    key = fields.CharField(max_length=100)
    args: dict[str, Any] = fields.JSONField()

    class Meta(TenantMeta):
        table = "settlement_problem"


class SettlementLine(TenantModel):
    """One person's statement in a settlement; its amounts are sealed. `payroll_run_id`: the run that pays it."""

    settlement_id = fields.UUIDField()
    employee_id = fields.UUIDField()
    legal_entity_id = fields.UUIDField()
    line_count = fields.IntField()
    earned_sealed = fields.BinaryField()
    brought_sealed = fields.BinaryField()
    payable_sealed = fields.BinaryField()
    carried_sealed = fields.BinaryField()
    balances_sealed = fields.BinaryField()
    amounts_masked = fields.CharField(max_length=10)
    payroll_run_id = fields.UUIDField(null=True)
    created_at = fields.DatetimeField()

    class Meta(TenantMeta):
        table = "settlement_line"


class BonusPoolRun(TenantModel):
    """An amount divided among people by keys that are frozen with the run; once approved its parts are accruals."""

    plan_id = fields.UUIDField()
    title = fields.CharField(max_length=100)
    period_first = fields.DateField()
    period_until = fields.DateField()
    department_id = fields.UUIDField(null=True)
    result_minor = fields.BigIntField()
    terms: dict[str, Any] = fields.JSONField()
    members: list[dict[str, Any]] = fields.JSONField()
    parts: list[dict[str, Any]] = fields.JSONField()
    explanation: dict[str, Any] = fields.JSONField()
    pool_minor = fields.BigIntField()
    reserve_minor = fields.BigIntField()
    to_company_minor = fields.BigIntField()
    state = fields.CharField(max_length=20)
    plan_hash = fields.CharField(max_length=64)
    calculated_at = fields.DatetimeField()
    calculator_account_id = fields.UUIDField()
    calculator_id = fields.UUIDField(null=True)
    approved_at = fields.DatetimeField(null=True)
    approver_account_id = fields.UUIDField(null=True)
    approver_id = fields.UUIDField(null=True)

    class Meta(TenantMeta):
        table = "bonus_pool_run"


class Accrual(TenantModel):
    """One line of what somebody gets, with all it rests on; `source_key` is what the line is, whatever it comes to.

    Without a settlement it waits for the next one of its plan. `customer_level` is the level that the rule was chosen
    by, which later changes of the customer leave as it is.
    """

    plan_id = fields.UUIDField()
    version_number = fields.IntField(null=True)
    rule = fields.CharField(max_length=40)
    kind = fields.CharField(max_length=20)
    stream = fields.CharField(max_length=20)
    award = fields.CharField(max_length=20)
    employee_id = fields.UUIDField()
    deal_id = fields.UUIDField(null=True)
    collection_id = fields.UUIDField(null=True)
    pool_run_id = fields.UUIDField(null=True)
    source_key = fields.TextField()
    event = fields.CharField(max_length=80)
    of_key = fields.TextField(null=True)
    happened_at = fields.DatetimeField()
    happened_on = fields.DateField()
    period_first = fields.DateField()
    base_minor = fields.BigIntField()
    amount_minor = fields.BigIntField()
    customer_level = fields.CharField(max_length=20, null=True)
    explanation: dict[str, Any] = fields.JSONField()
    settlement_id = fields.UUIDField(null=True)
    created_at = fields.DatetimeField()

    class Meta(TenantMeta):
        table = "accrual"
