"""Tables of the circulation room. Amounts are whole numbers of the currency's smallest unit (docs/adr/0018).

Who did something is kept twice: the account, by which two people are told apart, and the person on the staff, where
there is one, by whom it is shown.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from tortoise import fields

from tenants import TenantMeta, TenantModel


class CirculationPolicy(TenantModel):
    """A version of a pool's policy of one kind, from a day on; never changed, only followed by the next."""

    pool_id = fields.UUIDField()
    kind = fields.CharField(max_length=20)
    version = fields.IntField()
    terms: dict[str, Any] = fields.JSONField()
    valid_from = fields.DateField()
    created_at = fields.DatetimeField()
    author_account_id = fields.UUIDField()
    author_id: UUID | None = fields.UUIDField(null=True)

    class Meta(TenantMeta):
        table = "circulation_policy"


class CustomerDecline(TenantModel):
    """A figure of an owned customer that fell below its own history; of each measure one is open at most.

    `received_on` names the holding it is about. Recycling counts it from `counts_from` on. `before` and `after` are
    minor units a month, or days. It is closed as recovered, recycled by it, or ended with the holding otherwise.
    `told_at` is when a mail of it was asked for, `warned_at` when that reached the owner.
    """

    customer_id = fields.UUIDField()
    pool_id = fields.UUIDField()
    owner_id = fields.UUIDField()
    owner_department_id = fields.UUIDField()
    received_on = fields.DateField()
    measure = fields.CharField(max_length=20)
    since_on = fields.DateField()
    found_on = fields.DateField()
    found_at = fields.DatetimeField()
    counts_from = fields.DateField()
    before: Decimal = fields.DecimalField(max_digits=24, decimal_places=6)
    after: Decimal = fields.DecimalField(max_digits=24, decimal_places=6)
    policy_version = fields.IntField()
    explanation: dict[str, Any] = fields.JSONField()
    state = fields.CharField(max_length=20)
    closed_on: date | None = fields.DateField(null=True)
    told_at: datetime | None = fields.DatetimeField(null=True)
    warned_at: datetime | None = fields.DatetimeField(null=True)

    class Meta(TenantMeta):
        table = "customer_decline"


class Assessment(TenantModel):
    """An assessment of a pool over a closed period: what would move, what was announced, what came of it.

    `terms` are those of the policy's version, frozen; `receivers` are the people whom customers may be given to.
    """

    pool_id = fields.UUIDField()
    policy_version = fields.IntField()
    terms: dict[str, Any] = fields.JSONField()
    receivers: list[str] | None = fields.JSONField(null=True)
    period_first = fields.DateField()
    period_until = fields.DateField()
    state = fields.CharField(max_length=20)
    plan_hash = fields.CharField(max_length=64, null=True)
    people: int | None = fields.IntField(null=True)
    customers: int | None = fields.IntField(null=True)
    created_at = fields.DatetimeField()
    author_account_id = fields.UUIDField()
    author_id: UUID | None = fields.UUIDField(null=True)
    announced_at: datetime | None = fields.DatetimeField(null=True)
    announced_on: date | None = fields.DateField(null=True)
    announcer_account_id: UUID | None = fields.UUIDField(null=True)
    appeal_until: date | None = fields.DateField(null=True)
    due_on: date | None = fields.DateField(null=True)
    closed_at: datetime | None = fields.DatetimeField(null=True)

    class Meta(TenantMeta):
        table = "assessment"


class AssessmentPerson(TenantModel):
    """What an assessment says of one rep; `notified_at` is when the notice reached them."""

    assessment_id = fields.UUIDField()
    employee_id = fields.UUIDField()
    department_id = fields.UUIDField()
    held = fields.IntField()
    judged = fields.IntField()
    above_quota = fields.IntField()
    moving = fields.IntField()
    utilisation: Decimal | None = fields.DecimalField(max_digits=5, decimal_places=2, null=True)
    explanation: dict[str, Any] = fields.JSONField()
    notified_at: datetime | None = fields.DatetimeField(null=True)

    class Meta(TenantMeta):
        table = "assessment_person"


class AssessmentCustomer(TenantModel):
    """A customer that an assessment reclaims: its use, what it earned in the period, and what became of it."""

    assessment_id = fields.UUIDField()
    customer_id = fields.UUIDField()
    ownership_id = fields.UUIDField()
    employee_id = fields.UUIDField()
    department_id = fields.UUIDField()
    place = fields.IntField()
    use = fields.IntField()
    deals_minor = fields.BigIntField()
    collected_minor = fields.BigIntField()
    last_follow_up_on: date | None = fields.DateField(null=True)
    explanation: dict[str, Any] = fields.JSONField()
    state = fields.CharField(max_length=20)
    spared = fields.CharField(max_length=20, null=True)
    appeal_reason = fields.CharField(max_length=200, null=True)
    appealed_at: datetime | None = fields.DatetimeField(null=True)
    appellant_account_id: UUID | None = fields.UUIDField(null=True)
    decision_reason = fields.CharField(max_length=200, null=True)
    decided_at: datetime | None = fields.DatetimeField(null=True)
    decider_account_id: UUID | None = fields.UUIDField(null=True)
    decider_id: UUID | None = fields.UUIDField(null=True)
    receiver_id: UUID | None = fields.UUIDField(null=True)
    moved_on: date | None = fields.DateField(null=True)
    created_at = fields.DatetimeField()

    class Meta(TenantMeta):
        table = "assessment_customer"


class CirculationRun(TenantModel):
    """A day's run of the search for declines: what it did, and whether it came to its end."""

    ran_on = fields.DateField()
    started_at = fields.DatetimeField()
    finished_at: datetime | None = fields.DatetimeField(null=True)
    judged = fields.IntField(default=0, db_default=0)
    found = fields.IntField(default=0, db_default=0)
    closed = fields.IntField(default=0, db_default=0)
    failed = fields.IntField(default=0, db_default=0)

    class Meta(TenantMeta):
        table = "circulation_run"
