"""Plans as inputs: members have the names of the plan's own parts, so that a refusal leads to the field at fault."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

import strawberry

from saas.graphql.payloads import enum_of, stored_text
from saas.graphql.render_inputs import described_enum, nullable
from saas.incentives import Plan, plan_of_plain
from saas.incentives.reads import DEAL_MOMENT, PAYABILITY, PLAN_CYCLE, PLAN_MEASURE, TIER_WINDOW
from saas.kernel import AppError


def _enum(name: str, description: str, **values: str) -> type[Enum]:
    return described_enum(
        name, f"{description} Since 0.1.", {key: f"{text} Since 0.1." for key, text in values.items()}
    )


ShapeKind = _enum(
    "RuleShapeKind",
    "How an amount is found from its base.",
    FLAT="One rate.",
    TIERS="A rate for each interval between cuts.",
)
TierMode = _enum(
    "TierMode",
    "What a tier's rate is for.",
    MARGINAL="The slice in it.",
    WHOLE_AMOUNT="The whole base, once it reaches the tier.",
)
TierBound = _enum(
    "TierBound",
    "To which tier an amount just at a cut belongs.",
    UPPER_INCLUSIVE="The lower one, as in tax tables.",
    LOWER_INCLUSIVE="The upper one.",
)
RuleAward = _enum(
    "RuleAward",
    "What a rule pays.",
    COMMISSION="Commission (提成): every credited event needs a rule.",
    BONUS="Bonus (奖金) on top, where a rule fits.",
)
CustomerAge = _enum(
    "CustomerAge",
    "How long a customer has been one.",
    NEW="In the days from the first order that the version names.",
    OLD="After them.",
)
ClawbackMethod = _enum(
    "ClawbackMethod",
    "How much a refund takes back (追回).",
    RECOMPUTE="What the period comes to before it, less what after it.",
    AVERAGE_RATE="At the rate that the period was paid at.",
    ORIGINAL_LINE="At the rate that the line was paid at.",
)
LimitOf = _enum(
    "LimitKind",
    "What a limit does.",
    CAP="What is above is forfeited, and shown (封顶).",
    GUARANTEE="What is missing is added (保底).",
)
LimitScope = _enum(
    "LimitScope", "What a limit bounds.", ORDER="A person's lines of one order.", PERIOD="A person's lines of a period."
)


@strawberry.input(description="How an amount is found from its base. Since 0.1.")
class ShapeInput:
    """A flat rate, or tiers."""

    kind: Enum = strawberry.field(description="Flat or tiers.", graphql_type=ShapeKind)
    rate: Decimal | None = strawberry.field(description='Of a flat one: a fraction such as "0.03".', default=None)
    cuts: list[Decimal] | None = strawberry.field(
        description="Of tiers: the amounts between them, ascending; with ofTarget, multiples of the target.",
        default=None,
    )
    rates: list[Decimal] | None = strawberry.field(
        description="Of tiers: a fraction for each interval, one more than there are cuts.", default=None
    )
    mode: Enum | None = strawberry.field(
        description="Of tiers; marginal when absent.", graphql_type=nullable(TierMode), default=None
    )
    bound: Enum | None = strawberry.field(
        description="Of tiers; the upper one inclusive when absent.", graphql_type=nullable(TierBound), default=None
    )
    of_target: bool | None = strawberry.field(
        description="Of tiers: whether cuts are multiples of the person's target.", default=None
    )


@strawberry.input(description="What a rule asks of a deal; what is absent asks nothing. Since 0.1.")
class MatchInput:
    """The most specific rule is chosen; the members are in the order that decides."""

    person: strawberry.ID | None = strawberry.field(description="The person credited (emp_…).", default=None)
    customer: strawberry.ID | None = strawberry.field(description="The customer (cus_…).", default=None)
    level: str | None = strawberry.field(description="The customer's level.", default=None)
    kind: Enum | None = strawberry.field(
        description="New or old customer.", graphql_type=nullable(CustomerAge), default=None
    )
    product: str | None = strawberry.field(description="The deal's product.", default=None)
    category: str | None = strawberry.field(description="The deal's category.", default=None)
    channel: str | None = strawberry.field(description="The deal's channel.", default=None)
    amount_from: Decimal | None = strawberry.field(
        description="The order's amount, as the plan measures it, from this on.", default=None
    )
    amount_to: Decimal | None = strawberry.field(description="And below this.", default=None)
    stage: str | None = strawberry.field(description="The stage that a collection was asked for.", default=None)


@strawberry.input(description="A rule (激励规则): for which deals, how much. Since 0.1.")
class RuleInput:
    """One rule of a version."""

    code: str = strawberry.field(description="Short name, unique in the version.")
    title: str = strawberry.field(description="Name, as statements show it.")
    shape: ShapeInput = strawberry.field(description="How much.")
    match: MatchInput | None = strawberry.field(description="For which deals; all when absent.", default=None)
    award: Enum | None = strawberry.field(
        description="Commission when absent.", graphql_type=nullable(RuleAward), default=None
    )


@strawberry.input(description="A stage of a contract and what it makes payable. Since 0.1.")
class PlanStageInput:
    """The last stage takes the remainder."""

    name: str = strawberry.field(description="Its name, as it is noted at deals.")
    share: Decimal = strawberry.field(description='A fraction such as "0.3"; all add up to 1.')


@strawberry.input(description="A cap or a guarantee. Since 0.1.")
class LimitInput:
    """Limits apply in their order."""

    kind: Enum = strawberry.field(description="Cap or guarantee.", graphql_type=LimitOf)
    amount: Decimal = strawberry.field(description="In the company's currency.")
    scope: Enum | None = strawberry.field(
        description="Of the period when absent.", graphql_type=nullable(LimitScope), default=None
    )


@strawberry.input(description="Which share of a clawback is taken up to some days after the event. Since 0.1.")
class GradeInput:
    """Grades ascend by days."""

    through_days: int = strawberry.field(description="Up to and with this whole day.")
    share: Decimal = strawberry.field(description='A fraction such as "0.5".')


@strawberry.input(description="A version of a plan: its days and its rules. Since 0.1.")
class PlanVersionInput:
    """What the draft is to be."""

    valid_from: date = strawberry.field(description="The first day it is in force.")
    valid_to: date | None = strawberry.field(
        description="The first day it is not; without it, until the next version.", default=None
    )
    rules: list[RuleInput] = strawberry.field(description="At least one.")
    stages: list[PlanStageInput] | None = strawberry.field(
        description="Where what was earned becomes payable by stage.", default=None
    )
    new_customer_days: int | None = strawberry.field(
        description="Days from the first order in which a customer is new; the first one counts.", default=None
    )
    commission_free: list[str] | None = strawberry.field(description="Products that earn nothing.", default=None)
    clawback: Enum | None = strawberry.field(
        description="Recomputed when absent.", graphql_type=nullable(ClawbackMethod), default=None
    )
    grades: list[GradeInput] | None = strawberry.field(
        description="Shares of a clawback by days; all of it when absent.", default=None
    )
    grade_after: Decimal | None = strawberry.field(
        description="The share after the last grade; 0 when absent.", default=None
    )
    limits: list[LimitInput] | None = strawberry.field(description="Caps and guarantees, in their order.", default=None)


@strawberry.input(description="A plan: terms that hold for all its time, and a version of it. Since 0.1.")
class PlanInput:
    """Amounts are in the company's currency."""

    code: str = strawberry.field(description="Short name, 1 to 40 characters, unique in the company.")
    title: str = strawberry.field(description="Name, 1 to 100 characters.")
    cycle: Enum = enum_of(PLAN_CYCLE, description="How long a period is.")
    measure: Enum = enum_of(PLAN_MEASURE, description="What is paid for.")
    with_vat: bool = strawberry.field(description="Whether amounts count with VAT.", default=False)
    anchor: Enum = enum_of(DEAL_MOMENT, description="Whose day decides period, version and rate.")
    payability: Enum = enum_of(PAYABILITY, description="When what was earned becomes payable.")
    tier_window: Enum = enum_of(TIER_WINDOW, description="Over what the base of tiers adds up.")
    version: PlanVersionInput = strawberry.field(description="The rules.")


def _members(value: object) -> Any:
    """An input as the JSON of a plan: enums in lower case, numbers and days as texts, absent members left out."""
    if isinstance(value, Enum):
        return value.name.lower()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return [_members(each) for each in value]
    if is_dataclass(value) and not isinstance(value, type):
        given = {each.name: getattr(value, each.name) for each in fields(value)}
        return {name: _members(member) for name, member in given.items() if member is not None}
    return value


def plan_of(given: PlanInput, currency: str) -> Plan:
    """The plan of an input.

    :raises PlanRefused: a member that the shape of a rule needs is missing, or it has one that is another's.
    """
    body = _members(given.version)
    first, until = body.pop("valid_from"), body.pop("valid_to", None)
    body["effective"] = {"first": first} if until is None else {"first": first, "until": until}
    for rule in body["rules"]:
        rule["shape"] = {"shape": rule["shape"].pop("kind"), **rule["shape"]}
    plain = {
        "code": given.code,
        "title": given.title,
        "currency": currency,
        "cycle": stored_text(PLAN_CYCLE, given.cycle),
        "measure": stored_text(PLAN_MEASURE, given.measure),
        "with_vat": given.with_vat,
        "anchor": stored_text(DEAL_MOMENT, given.anchor),
        "release": stored_text(PAYABILITY, given.payability),
        "window": stored_text(TIER_WINDOW, given.tier_window),
        "versions": [{"number": 1, **body}],
    }
    try:
        return plan_of_plain(plain)
    except AppError as error:
        inner = [_camel(name) for name in error.field[2:]]
        raise error.at("version", *(["validTo"] if inner[:1] == ["effective"] else inner)) from None


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.title() for part in tail)
