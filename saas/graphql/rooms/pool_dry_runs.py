"""What a change of a pool's settings would do, before it is saved."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import strawberry

from saas.customers import Comparison, SettingsWish, dry_run_settings
from saas.graphql.fields import Info, query
from saas.graphql.payloads import Ref, mapped
from saas.graphql.rooms.pool_options import options_in
from saas.graphql.rooms.pools import CustomerPoolUpdateInput
from saas.graphql.rooms.references import placed_id
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
    rep_count: int = strawberry.field(description="How many people own customers of the pool. Since 0.1.")
    reps: list[PoolDryRunRep] = strawberry.field(
        description="Each of them, who loses the most first; at most 100. Since 0.1."
    )
    customers: list[PoolDryRunCustomer] = strawberry.field(
        description="Those that only the new settings take, the soonest first; at most 100. Since 0.1."
    )


@query(
    requires="pool:configure",
    description="What customerPoolUpdate with the same input would do to the pool's owned customers, at most 10000",
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
    wish = SettingsWish(
        pool_id=placed_id(input.id, prefix="poo", field=("id",)),
        settings=options_in(input),
        expected_version=input.expected_version,
        valid_from=input.valid_from,
        on=on,
    )
    return _shown(await dry_run_settings(wish, activity=find_activity, time_zone=info.time_zone, today=info.today))


def _shown(found: Comparison) -> PoolDryRun:
    effects = sorted(found.effects.items(), key=lambda each: (-each[1].taken, -each[1].freed, each[0]))
    taken = sorted(found.taken, key=lambda each: (each.due_after, each.customer_id))
    return PoolDryRun(
        on=found.on,
        held=sum(each.held for each in found.effects.values()),
        taken=len(taken),
        freed=sum(each.freed for each in found.effects.values()),
        warned=sum(each.warned for each in found.effects.values()),
        rep_count=len(effects),
        reps=[
            PoolDryRunRep(
                employee=Ref("Employee", owner_id),
                held=each.held,
                gone_before=each.gone_before,
                gone_after=each.gone_after,
                taken=each.taken,
                freed=each.freed,
                warned=each.warned,
            )
            for owner_id, each in effects[:MOST_SHOWN]
        ],
        customers=[
            PoolDryRunCustomer(
                customer=Ref("Customer", each.customer_id),
                owner=Ref("Employee", each.owner_id),
                due_before=each.due_before,
                due_after=each.due_after,
            )
            for each in taken[:MOST_SHOWN]
        ],
    )
