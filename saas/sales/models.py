"""Tables of the sales room. Amounts are whole numbers of the currency's smallest unit (docs/adr/0018)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from tortoise import fields
from tortoise.fields.db_defaults import SqlDefault

from tenants import TenantMeta, TenantModel


class FollowUp(TenantModel):
    """What a person did for a customer: a call, a visit, a meeting, a message, a note.

    `call_seconds` is the length of the call's record, `has_check_in` a visit's check-in: the evidence, where there is.
    """

    customer_id = fields.UUIDField()
    author_id = fields.UUIDField()
    kind = fields.CharField(max_length=20)
    content = fields.TextField()
    call_seconds = fields.IntField(null=True)
    has_check_in = fields.BooleanField(default=False, db_default=False)
    occurred_at = fields.DatetimeField()
    occurred_on = fields.DateField()
    created_at = fields.DatetimeField()

    class Meta(TenantMeta):
        table = "follow_up"


class OpportunityStage(TenantModel):
    """A stage that opportunities of a company pass through: open, won or lost."""

    key = fields.CharField(max_length=40)
    title_zh = fields.CharField(max_length=100)
    title_en = fields.CharField(max_length=100)
    kind = fields.CharField(max_length=10)
    position = fields.IntField()

    class Meta(TenantMeta):
        table = "opportunity_stage"


class Opportunity(TenantModel):
    """A sale that may come about. The customer may be unknown: a sheet that lacks it says so.

    `reached` is the position of the furthest stage it ever stood in, `advanced_on` the day on which it came there:
    moving it to and fro is no progress.
    """

    customer_id = fields.UUIDField(null=True)
    owner_id = fields.UUIDField()
    owner_department_id = fields.UUIDField()
    stage_id = fields.UUIDField()
    product = fields.CharField(max_length=100, null=True)
    engaged_on = fields.DateField(null=True)
    closed_on = fields.DateField(null=True)
    expected_minor = fields.BigIntField(null=True)
    reached = fields.IntField(default=0, db_default=0)
    advanced_on: date = fields.DateField(db_default=SqlDefault("CURRENT_DATE"))
    external_system = fields.CharField(max_length=40, null=True)
    external_key = fields.CharField(max_length=100, null=True)
    version = fields.IntField(default=1, db_default=1)
    created_at = fields.DatetimeField()

    class Meta(TenantMeta):
        table = "opportunity"


class Deal(TenantModel):
    """A sale that came about. `collected_minor` is what was received, less what was paid back.

    `contract_ends_on` is the last day of its contract, where it has one.
    """

    customer_id = fields.UUIDField()
    opportunity_id = fields.UUIDField(null=True)
    number = fields.CharField(max_length=60)
    product = fields.CharField(max_length=100, null=True)
    category = fields.CharField(max_length=100, null=True)
    channel = fields.CharField(max_length=100, null=True)
    signed_on = fields.DateField()
    contract_ends_on = fields.DateField(null=True)
    amount_minor = fields.BigIntField()
    vat_rate: Decimal = fields.DecimalField(max_digits=6, decimal_places=4)
    status = fields.CharField(max_length=20, default="signed", db_default="signed")
    cancelled_on = fields.DateField(null=True)
    collected_minor = fields.BigIntField(default=0, db_default=0)
    owner_id = fields.UUIDField()
    owner_department_id = fields.UUIDField()
    external_system = fields.CharField(max_length=40, null=True)
    external_key = fields.CharField(max_length=100, null=True)
    version = fields.IntField(default=1, db_default=1)
    created_at = fields.DatetimeField()

    class Meta(TenantMeta):
        table = "deal"


class Collection(TenantModel):
    """Money received for a deal, or paid back to the customer; never changed, only followed by another.

    An import that is undone writes a counter entry for each of its own (`reverses_id`, the amount below 0, `batch_id`),
    and the entry names it (`reversed_by_id`). Neither counts; together they add up to 0 in every sum.
    """

    deal_id = fields.UUIDField()
    kind = fields.CharField(max_length=20)
    received_on = fields.DateField()
    amount_minor = fields.BigIntField()
    method = fields.CharField(max_length=40, null=True)
    external_system = fields.CharField(max_length=40, null=True)
    external_key = fields.CharField(max_length=100, null=True)
    reverses_id = fields.UUIDField(null=True)
    reversed_by_id = fields.UUIDField(null=True)
    batch_id = fields.UUIDField(null=True)
    created_at = fields.DatetimeField()

    class Meta(TenantMeta):
        table = "collection"


class PerformanceCredit(TenantModel):
    """Whose performance a deal is, and to which share; the shares of a deal add up to exactly 1."""

    deal_id = fields.UUIDField()
    employee_id = fields.UUIDField()
    department_id = fields.UUIDField()
    share: Decimal = fields.DecimalField(max_digits=9, decimal_places=8)
    position = fields.IntField()

    class Meta(TenantMeta):
        table = "performance_credit"


class PerformanceLine(TenantModel):
    """One person's part in a deal signed, collected or refunded; what turned out otherwise is followed by a reversal.

    Leaderboards and commission are sums of these lines.
    """

    metric = fields.CharField(max_length=20)
    deal_id = fields.UUIDField()
    collection_id = fields.UUIDField(null=True)
    employee_id = fields.UUIDField()
    department_id = fields.UUIDField()
    happened_on = fields.DateField()
    amount_minor = fields.BigIntField()
    is_new_customer = fields.BooleanField()
    created_at = fields.DatetimeField()

    class Meta(TenantMeta):
        table = "performance_line"


class Target(TenantModel):
    """What a person or a department is to achieve in a period of whole days, the last one excluded."""

    employee_id = fields.UUIDField(null=True)
    department_id = fields.UUIDField(null=True)
    metric = fields.CharField(max_length=20)
    period_first = fields.DateField()
    period_until = fields.DateField()
    amount_minor = fields.BigIntField()
    version = fields.IntField(default=1, db_default=1)
    created_at = fields.DatetimeField()

    class Meta(TenantMeta):
        table = "target"
