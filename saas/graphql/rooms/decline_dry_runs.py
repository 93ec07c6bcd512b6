"""What a decline policy with other terms would find: at once, or by a job in a pool of any size."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import strawberry

from saas.circulation import (
    DeclineForecast,
    dry_run_declines,
    get_decline_dry_run,
    start_decline_dry_run,
)
from saas.graphql.fields import Info, mutation, query
from saas.graphql.payloads import Ref, mapped
from saas.graphql.rooms.circulation_policies import DeclineTermsInput, decline_wish
from saas.graphql.rooms.references import placed_id
from saas.graphql.rooms.report_jobs import ReportId, ReportStartPayload, report_id_of

MOST_SHOWN = 100


@strawberry.type(description="What new terms of declines would find of one person's customers. Since 0.1.")
class DeclineDryRunRep:
    """As if they held today."""

    employee: Ref | None = mapped("Employee", description="The person. Since 0.1.")
    judged: int = strawberry.field(description="Customers with a deal. Since 0.1.")
    declining: int = strawberry.field(description="Those that would decline. Since 0.1.")
    fresh: int = strawberry.field(description="Those of them that no open finding is about yet. Since 0.1.")
    freed: int = strawberry.field(description="Those with an open finding that would decline no more. Since 0.1.")


@strawberry.type(description="What new terms of declines would find in a pool. Since 0.1.")
class DeclineDryRun:
    """Nothing is written."""

    judged: int = strawberry.field(description="Customers of the pool with a deal. Since 0.1.")
    declining: int = strawberry.field(description="Those that would decline. Since 0.1.")
    fresh: int = strawberry.field(description="Those of them that no open finding is about yet. Since 0.1.")
    freed: int = strawberry.field(description="Those with an open finding that would decline no more. Since 0.1.")
    rep_count: int = strawberry.field(description="How many people own them. Since 0.1.")
    reps: list[DeclineDryRunRep] = strawberry.field(
        description="Each of them, who has the most that decline first; at most 100. Since 0.1."
    )


@query(
    requires="circulation:configure",
    description="What a decline policy with other terms would find today in a pool of at most 10000 dealt customers;"
    " declineDryRunStart does it for any number",
)
async def decline_dry_run(
    info: Info,
    pool: Annotated[strawberry.ID, strawberry.argument(description="The pool (poo_…). Since 0.1.")],
    decline: Annotated[DeclineTermsInput, strawberry.argument(description="The change thought of. Since 0.1.")],
) -> DeclineDryRun:
    forecast = await dry_run_declines(
        placed_id(pool, prefix="poo", field=("pool",)),
        decline_wish(decline),
        currency=info.currency,
        time_zone=info.time_zone,
        today=info.today,
    )
    return _shown(forecast)


@strawberry.input(description="Which terms of declines to try. Since 0.1.")
class DeclineDryRunStartInput:
    """As declineDryRun takes them."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key gives the same report.")
    pool: strawberry.ID = strawberry.field(description="The pool (poo_…).")
    decline: DeclineTermsInput = strawberry.field(description="The change thought of.")


@mutation(
    requires="circulation:configure",
    idempotent=True,
    description="Have a worker try a decline policy with other terms on all dealt customers of a pool; reportJob tells"
    " how far it is, declineDryRunResult what came of it. Nothing of the pool is changed",
)
async def decline_dry_run_start(info: Info, input: DeclineDryRunStartInput) -> ReportStartPayload:  # noqa: A002
    report_id = await start_decline_dry_run(
        info.actor,
        placed_id(input.pool, prefix="poo", field=("pool",)),
        decline_wish(input.decline),
        time_zone=info.time_zone,
        clock=info.clock,
    )
    return ReportStartPayload.of(report_id)


@strawberry.type(description="A dry run of a decline policy that a worker has reckoned. Since 0.1.")
class DeclineDryRunResult:
    """Whoever may configure circulation reads it."""

    pool: Ref | None = mapped("CustomerPool", description="The pool. Since 0.1.")
    on: date | None = strawberry.field(description="As if the terms held on that day. Since 0.1.", default=None)
    version: int = strawberry.field(
        description="The newest version of the pool's policy of then; 0 without one. Since 0.1.", default=0
    )
    is_stale: bool = strawberry.field(
        description="Whether a newer version was decided since: ask anew. Since 0.1.", default=False
    )
    result: DeclineDryRun | None = strawberry.field(description="As declineDryRun tells it. Since 0.1.", default=None)


@query(requires="circulation:configure", description="What a worker found for declineDryRunStart")
async def decline_dry_run_result(info: Info, report: ReportId) -> DeclineDryRunResult:
    stored = await get_decline_dry_run(report_id_of(report))
    return DeclineDryRunResult(
        pool=Ref("CustomerPool", stored.pool_id),
        on=stored.on,
        version=stored.version,
        is_stale=stored.is_stale,
        result=_shown(stored.found),
    )


def _shown(forecast: DeclineForecast) -> DeclineDryRun:
    people = sorted(forecast.people.items(), key=lambda each: (-each[1].declining, each[0]))
    effects = [effect for _, effect in people]
    return DeclineDryRun(
        judged=sum(each.judged for each in effects),
        declining=sum(each.declining for each in effects),
        fresh=sum(each.fresh for each in effects),
        freed=sum(each.freed for each in effects),
        rep_count=len(people),
        reps=[
            DeclineDryRunRep(
                employee=Ref("Employee", owner_id),
                judged=each.judged,
                declining=each.declining,
                fresh=each.fresh,
                freed=each.freed,
            )
            for owner_id, each in people[:MOST_SHOWN]
        ],
    )
