"""What a change of a pool's settings would do, before it is saved: at once, or by a job in a pool of any size."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

import strawberry

from saas.customers import (
    DryRun,
    Effect,
    SettingsWish,
    StoredDryRun,
    Taken,
    dry_run_settings,
    get_dry_run,
    list_dry_run_customers,
    list_dry_run_people,
    start_dry_run,
)
from saas.graphql.fields import Info, mutation, query
from saas.graphql.payloads import Ref, mapped
from saas.graphql.render import PageInfo
from saas.graphql.rooms.plain_pages import After, First, page_of
from saas.graphql.rooms.pool_options import options_in
from saas.graphql.rooms.pools import CustomerPoolUpdateInput
from saas.graphql.rooms.references import placed_id
from saas.graphql.rooms.report_jobs import ReportId, ReportStartPayload, report_id_of
from saas.sales import find_activity

MOST_SHOWN = 100


@strawberry.type(description="What a change of settings does to one owner's customers by a day. Since 0.1.")
class PoolDryRunRep:
    """If nothing happens until then."""

    employee: Ref | None = mapped("Employee", description="The owner. Since 0.1.")
    held: int = strawberry.field(description="Customers of the pool that they own today. Since 0.1.", default=0)
    gone_before: int = strawberry.field(
        description="Back in the pool by that day by the settings in force. Since 0.1.", default=0
    )
    gone_after: int = strawberry.field(
        description="Back in the pool by that day by the new settings. Since 0.1.", default=0
    )
    taken: int = strawberry.field(description="Of these, only by the new settings. Since 0.1.", default=0)
    freed: int = strawberry.field(
        description="Gone by the settings in force, kept by the new ones. Since 0.1.", default=0
    )
    warned: int = strawberry.field(
        description="Still held that day, with a warning by the new settings. Since 0.1.", default=0
    )
    unreached: int = strawberry.field(
        description="Held since before a change for new holdings alone: they go on by earlier rules. Since 0.1.",
        default=0,
    )


@strawberry.type(description="A customer that only the new settings take. Since 0.1.")
class PoolDryRunCustomer:
    """One of those it does the worst to."""

    customer: Ref | None = mapped("Customer", description="The customer. Since 0.1.")
    owner: Ref | None = mapped("Employee", description="Who owns it today. Since 0.1.")
    due_before: date | None = strawberry.field(
        description="The day it goes by the settings in force; null: never. Since 0.1.", default=None
    )
    due_after: date | None = strawberry.field(
        description="The day it goes by the new settings. Since 0.1.", default=None
    )


@strawberry.type(description="What a change of settings would do by a day, if nothing happens until then. Since 0.1.")
class PoolDryRun:
    """Nothing is written."""

    on: date = strawberry.field(description="The day. Since 0.1.")
    held: int = strawberry.field(description="Customers of the pool that somebody owns. Since 0.1.")
    taken: int = strawberry.field(description="Gone by that day only by the new settings. Since 0.1.")
    freed: int = strawberry.field(description="Gone by the settings in force, kept by the new ones. Since 0.1.")
    warned: int = strawberry.field(description="Still held that day, with a warning. Since 0.1.")
    unreached: int = strawberry.field(
        description="Held since before a change for new holdings alone: they go on by earlier rules. Since 0.1."
    )
    rep_count: int = strawberry.field(description="How many people own customers of the pool. Since 0.1.")
    reps: list[PoolDryRunRep] = strawberry.field(
        description="Each of them, who loses the most first; at most 100. Since 0.1."
    )
    customers: list[PoolDryRunCustomer] = strawberry.field(
        description="Those that only the new settings take, the soonest first; at most 100. Since 0.1."
    )


@query(
    requires="pool:configure",
    description="What customerPoolUpdate with the same input would do to the pool's owned customers, at most 10000;"
    " customerPoolDryRunStart does it for any number",
)
async def customer_pool_dry_run(
    info: Info,
    input: Annotated[  # noqa: A002
        CustomerPoolUpdateInput, strawberry.argument(description="The change that is thought of. Since 0.1.")
    ],
    on: Annotated[
        date | None,
        strawberry.argument(
            description="By which day; the first one on which the change can take a customer when absent. Since 0.1."
        ),
    ] = None,
) -> PoolDryRun:
    wish = _wish_of(input, on)
    found = await dry_run_settings(wish, activity=find_activity, time_zone=info.time_zone, today=info.today)
    return shown_dry_run(found.told())


def _wish_of(change: CustomerPoolUpdateInput, on: date | None) -> SettingsWish:
    return SettingsWish(
        pool_id=placed_id(change.id, prefix="poo", field=("id",)),
        settings=options_in(change),
        expected_version=change.expected_version,
        valid_from=change.valid_from,
        on=on,
    )


@strawberry.input(description="Which change of settings to try. Since 0.1.")
class CustomerPoolDryRunStartInput:
    """A change as customerPoolUpdate takes it."""

    idempotency_key: str = strawberry.field(description="1 to 100 characters; the same key gives the same report.")
    change: CustomerPoolUpdateInput = strawberry.field(description="The change that is thought of.")
    on: date | None = strawberry.field(
        description="By which day; the first one on which the change can take a customer when absent.", default=None
    )


@mutation(
    requires="pool:configure",
    idempotent=True,
    description="Have a worker try a change of a pool's settings on all its owned customers, a million of them too;"
    " reportJob tells how far it is, customerPoolDryRunResult what came of it. Nothing of the pool is changed",
)
async def customer_pool_dry_run_start(
    info: Info,
    input: CustomerPoolDryRunStartInput,  # noqa: A002
) -> ReportStartPayload:
    wish = _wish_of(input.change, input.on)
    report_id = await start_dry_run(info.actor, wish, time_zone=info.time_zone, clock=info.clock)
    return ReportStartPayload.of(report_id)


@strawberry.type(description="A dry run that a worker has reckoned. Since 0.1.")
class PoolDryRunResult:
    """Whoever may configure pools reads it."""

    pool: Ref | None = mapped("CustomerPool", description="The pool. Since 0.1.")
    version: int = strawberry.field(
        description="The pool's version whose settings were compared with the new ones. Since 0.1.", default=0
    )
    is_stale: bool = strawberry.field(
        description="Whether the pool's version is another by now: ask anew. Since 0.1.", default=False
    )
    result: PoolDryRun | None = strawberry.field(
        description="As customerPoolDryRun tells it; its lists go on in customerPoolDryRunReps and"
        " customerPoolDryRunCustomers. Since 0.1.",
        default=None,
    )


@query(requires="pool:configure", description="What a worker found for customerPoolDryRunStart")
async def customer_pool_dry_run_result(info: Info, report: ReportId) -> PoolDryRunResult:
    stored: StoredDryRun = await get_dry_run(report_id_of(report), most=MOST_SHOWN)
    return PoolDryRunResult(
        pool=Ref("CustomerPool", stored.pool_id),
        version=stored.version,
        is_stale=stored.is_stale,
        result=shown_dry_run(stored.found),
    )


@strawberry.type(description="A page of the people of a dry run, who loses the most first. Since 0.1.")
class PoolDryRunReps:
    """All who own customers of the pool."""

    nodes: list[PoolDryRunRep] = strawberry.field(description="The people, at most 100. Since 0.1.")
    page_info: PageInfo = strawberry.field(description="Where the page stands. Since 0.1.")


@strawberry.type(description="A page of the customers that only the new settings take, the soonest first. Since 0.1.")
class PoolDryRunCustomers:
    """At most a thousand in all; the others are in the counts."""

    nodes: list[PoolDryRunCustomer] = strawberry.field(description="The customers, at most 100. Since 0.1.")
    page_info: PageInfo = strawberry.field(description="Where the page stands. Since 0.1.")


@query(requires="pool:configure", description="What a dry run that a worker has reckoned does to each owner")
async def customer_pool_dry_run_reps(info: Info, report: ReportId, first: First, after: After = None) -> PoolDryRunReps:
    page = page_of("customerPoolDryRunReps", first=first, after=after)
    rows = await list_dry_run_people(report_id_of(report), after=page.after_place, first=page.size + 1)
    shown, page_info = page.cut(rows, lambda row: str(row[0]))
    return PoolDryRunReps(nodes=[_rep(*each) for _, each in shown], page_info=page_info)


@query(requires="pool:configure", description="Which customers only the new settings of a reckoned dry run take")
async def customer_pool_dry_run_customers(
    info: Info, report: ReportId, first: First, after: After = None
) -> PoolDryRunCustomers:
    page = page_of("customerPoolDryRunCustomers", first=first, after=after)
    rows = await list_dry_run_customers(report_id_of(report), after=page.after_place, first=page.size + 1)
    shown, page_info = page.cut(rows, lambda row: str(row[0]))
    return PoolDryRunCustomers(nodes=[_customer(each) for _, each in shown], page_info=page_info)


def shown_dry_run(found: DryRun) -> PoolDryRun:
    """As the API tells it."""
    return PoolDryRun(
        on=found.on,
        held=found.total.held,
        taken=found.total.taken,
        freed=found.total.freed,
        warned=found.total.warned,
        unreached=found.total.unreached,
        rep_count=found.people,
        reps=[_rep(*each) for each in found.effects[:MOST_SHOWN]],
        customers=[_customer(each) for each in found.taken[:MOST_SHOWN]],
    )


def _rep(owner_id: UUID, effect: Effect) -> PoolDryRunRep:
    return PoolDryRunRep(
        employee=Ref("Employee", owner_id),
        held=effect.held,
        gone_before=effect.gone_before,
        gone_after=effect.gone_after,
        taken=effect.taken,
        freed=effect.freed,
        warned=effect.warned,
        unreached=effect.unreached,
    )


def _customer(taken: Taken) -> PoolDryRunCustomer:
    return PoolDryRunCustomer(
        customer=Ref("Customer", taken.customer_id),
        owner=Ref("Employee", taken.owner_id),
        due_before=taken.due_before,
        due_after=taken.due_after,
    )
