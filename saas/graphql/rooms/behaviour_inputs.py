"""What a behaviour report is asked for: pools, days, comparison and groups (docs/behaviour.md)."""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import Annotated
from uuid import UUID

import strawberry

from saas.analytics import (
    CONVERSION_DAYS,
    NEW_DAYS,
    BehaviourWish,
    Comparison,
    Grouping,
    other_period,
    reported_period,
)
from saas.graphql.render_inputs import described_enum, nullable
from saas.graphql.rooms.references import placed_id
from saas.kernel import BadUserInput, Period

POOLS_MAX = 20
DAYS_MAX = 1_000

BehaviourGrouping = described_enum(
    "BehaviourGrouping",
    "What a line of the behaviour report is of. Since 0.1.",
    {
        "PERSON": "A person, in the departments in which the caller may see them. Since 0.1.",
        "DEPARTMENT": "A department with those below it, as the tree is today. Since 0.1.",
        "WHOLE": "Everybody. Since 0.1.",
    },
)
BehaviourComparison = described_enum(
    "BehaviourComparison",
    "What the period is compared with. Since 0.1.",
    {
        "PREVIOUS": "The period directly before: as many whole months, of whole months, else as many days. Since 0.1.",
        "LAST_YEAR": "The same days, or months, of the year before. Since 0.1.",
        "GIVEN": "The days from comparisonFrom to comparisonTo. Since 0.1.",
        "NONE": "Nothing. Since 0.1.",
    },
)


@strawberry.input(description="What to report on. Since 0.1.")
class BehaviourInput:
    """Pools, days, and what to compare with."""

    pools: list[strawberry.ID] = strawberry.field(description="The pools (poo_…), 1 to 20.")
    from_day: date = strawberry.field(name="from", description="The first day.")
    to: date = strawberry.field(description="The last day; at most two years in all.")
    comparison: Enum | None = strawberry.field(
        description="What to compare with; PREVIOUS when absent.",
        graphql_type=nullable(BehaviourComparison),
        default=None,
    )
    comparison_from: date | None = strawberry.field(description="With GIVEN: the first day.", default=None)
    comparison_to: date | None = strawberry.field(description="With GIVEN: the last day.", default=None)
    group_by: Enum | None = strawberry.field(
        description="What a line is of; PERSON when absent.", graphql_type=nullable(BehaviourGrouping), default=None
    )
    department: strawberry.ID | None = strawberry.field(
        description="A department (dep_…): its people and those below it alone, medians too; all when absent.",
        default=None,
    )
    new_days: int = strawberry.field(
        description="For how many days after it was first received a customer is new, 1 to 1000.", default=NEW_DAYS
    )
    conversion_days: int = strawberry.field(
        description="Within how many days a deal counts for who received the customer, 1 to 1000.",
        default=CONVERSION_DAYS,
    )


Wished = Annotated[BehaviourInput, strawberry.argument(name="input", description="What to report on. Since 0.1.")]


def wish_of(wished: BehaviourInput) -> BehaviourWish:
    """The report that an input asks for.

    :raises BadUserInput: a list too long, or a number or days that no report is of.
    """
    if not 1 <= len(wished.pools) <= POOLS_MAX:
        values = {"given": len(wished.pools), "most": POOLS_MAX}
        raise BadUserInput("graphql.list_too_long", values, field=("pools",))
    for name, given in (("newDays", wished.new_days), ("conversionDays", wished.conversion_days)):
        if not 1 <= given <= DAYS_MAX:
            raise BadUserInput("graphql.number_out_of_range", {"given": given, "most": DAYS_MAX}, field=(name,))
    period = reported_period(wished.from_day, wished.to)
    pools = dict.fromkeys(placed_id(each, prefix="poo", field=("pools",)) for each in wished.pools)
    return BehaviourWish(
        pool_ids=tuple(pools),
        period=period,
        other=other_period(period, _comparison(wished), _given(wished)),
        grouping=Grouping.PERSON if wished.group_by is None else Grouping[wished.group_by.name],
        new_days=wished.new_days,
        conversion_days=wished.conversion_days,
        department_id=_department(wished),
    )


def _department(wished: BehaviourInput) -> UUID | None:
    return None if wished.department is None else placed_id(wished.department, prefix="dep", field=("department",))


def _comparison(wished: BehaviourInput) -> Comparison:
    return Comparison.PREVIOUS if wished.comparison is None else Comparison[wished.comparison.name]


def _given(wished: BehaviourInput) -> Period | None:
    if wished.comparison_from is None and wished.comparison_to is None:
        return None
    if wished.comparison_from is None or wished.comparison_to is None:
        raise BadUserInput("analytics.comparison_incomplete", field=("comparisonFrom",))
    return reported_period(wished.comparison_from, wished.comparison_to, field="comparisonTo")
