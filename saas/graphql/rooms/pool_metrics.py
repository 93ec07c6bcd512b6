"""What goes into a pool and out of it: section 6 of the pool's rules, with the terms of docs/behaviour.md."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated

import strawberry

from saas.analytics import (
    CONVERSION_DAYS,
    BehaviourFigure,
    BehaviourWish,
    Flow,
    PoolMetrics,
    measure_pool,
    ratio,
    reported_period,
)
from saas.customers import count_refusals
from saas.graphql.fields import Info, query
from saas.graphql.rooms.references import placed_id
from saas.kernel import EXACT, BadUserInput, rounded

DAYS_MAX = 1_000


@strawberry.type(description="A part of a whole, and how many cases it stands on. Since 0.1.")
class PoolShare:
    """Four digits; null without a case."""

    value: Decimal | None = strawberry.field(description="The part of 1. Since 0.1.")
    sample: int = strawberry.field(description="Of how many customers. Since 0.1.")


@strawberry.type(description="Customers that came into a pool or left it in one way. Since 0.1.")
class PoolCount:
    """By its kind."""

    kind: str = strawberry.field(
        description="In: entered, moved, release, recycle, separation; out: claim, assign, automatic. Since 0.1."
    )
    customers: int = strawberry.field(description="How many. Since 0.1.")


@strawberry.type(description="Claims that one rule refused. Since 0.1.")
class PoolRefusals:
    """Nobody is named."""

    rule: str = strawberry.field(
        description="claim_limit, interval, cooldown, fair_window, backlog, holding_limit, department_limit, taken, "
        "approval, claims_closed, disabled, not_a_member, being_allocated, plugin. Since 0.1."
    )
    claims: int = strawberry.field(description="How many; a batch is one. Since 0.1.")


@strawberry.type(description="What went into a pool and out of it in a period. Since 0.1.")
class PoolMetricsReport:
    """Figures of people's work are null where they are of fewer than five whom the caller may not all see."""

    into: list[PoolCount] = strawberry.field(description="In by kind, at most 10. Since 0.1.")
    out: list[PoolCount] = strawberry.field(description="Out by kind, at most 10. Since 0.1.")
    average_wait_days: Decimal | None = strawberry.field(
        description="Mean of the days that those taken out had waited, two digits; null without any. Since 0.1."
    )
    back_in_30_days: PoolShare = strawberry.field(
        description="Of those taken out at least thirty days ago: back in the pool inside thirty. Since 0.1."
    )
    conversion: PoolShare | None = strawberry.field(
        description="Of those claimed, with their days over: won in time. Since 0.1."
    )
    expired_untouched: PoolShare | None = strawberry.field(
        description="Of those recycled: without any effective follow-up by who held them. Since 0.1."
    )
    returns: int | None = strawberry.field(
        description="Given to a former owner, or their department, inside twice the cooldown. Since 0.1."
    )
    refusals: list[PoolRefusals] = strawberry.field(
        description="Refused claims by rule, at most 20, some seconds old. Since 0.1."
    )


@query(
    requires="behaviour:read",
    description="What went into a pool and out of it, how long customers waited, and what came of them",
)
async def pool_metrics(
    info: Info,
    pool: Annotated[strawberry.ID, strawberry.argument(description="The pool (poo_…). Since 0.1.")],
    from_day: Annotated[date, strawberry.argument(name="from", description="The first day. Since 0.1.")],
    to: Annotated[date, strawberry.argument(description="The last day; at most two years in all. Since 0.1.")],
    conversion_days: Annotated[
        int, strawberry.argument(description="Within how many days a deal counts, 1 to 1000. Since 0.1.")
    ] = CONVERSION_DAYS,
) -> PoolMetricsReport:
    if not 1 <= conversion_days <= DAYS_MAX:
        values = {"given": conversion_days, "most": DAYS_MAX}
        raise BadUserInput("graphql.number_out_of_range", values, field=("conversionDays",))
    wish = BehaviourWish(
        (placed_id(pool, prefix="poo", field=("pool",)),),
        reported_period(from_day, to),
        other=None,
        conversion_days=conversion_days,
    )
    found = await measure_pool(
        info.actor, info.rights, wish, time_zone=info.time_zone, currency=info.currency, today=info.today
    )
    (pool_id,) = wish.pool_ids
    return _view(found, await count_refusals(pool_id, wish.period))


def _view(found: PoolMetrics, refusals: Mapping[str, int]) -> PoolMetricsReport:
    flow = found.flow
    into = {"entered": found.entered, "moved": found.moved_in, **flow.back}
    return PoolMetricsReport(
        into=_counts(into),
        out=_counts(flow.taken),
        average_wait_days=_mean(flow),
        back_in_30_days=_share(flow.returned, flow.returned + flow.kept),
        conversion=_figure(found.conversion),
        expired_untouched=_figure(found.expired_untouched),
        returns=found.returns,
        refusals=[PoolRefusals(rule=rule, claims=claims) for rule, claims in refusals.items()],
    )


def _counts(numbers: Mapping[str, int]) -> list[PoolCount]:
    return [PoolCount(kind=kind, customers=number) for kind, number in sorted(numbers.items()) if number]


def _mean(flow: Flow) -> Decimal | None:
    days = sum(waited * number for waited, number in flow.waited.items())
    cases = flow.waited.total()
    return rounded(EXACT.divide(Decimal(days), Decimal(cases))) if cases else None


def _share(part: int, whole: int) -> PoolShare:
    return PoolShare(value=ratio(part, whole), sample=whole)


def _figure(figure: BehaviourFigure | None) -> PoolShare | None:
    return None if figure is None else PoolShare(value=figure.value, sample=figure.sample)
