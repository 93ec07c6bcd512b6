"""The metrics of a pool: in, out, waiting, and what came of it."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import strawberry

from saas.customers import measure_pool
from saas.graphql.fields import Info, query
from saas.graphql.rooms.references import placed_id
from saas.sales import find_won


@strawberry.type(description="What went into a pool and out of it in some days. Since 0.1.")
class CustomerPoolMetrics:
    """Numbers of customers; one that went twice counts twice."""

    entered: int = strawberry.field(description="New customers that nobody kept. Since 0.1.")
    released: int = strawberry.field(description="Given back by their owners. Since 0.1.")
    recycled: int = strawberry.field(description="Taken back by a rule. Since 0.1.")
    moved: int = strawberry.field(description="Moved here from another pool, owned ones too. Since 0.1.")
    claimed: int = strawberry.field(description="Taken by a person for themselves. Since 0.1.")
    assigned: int = strawberry.field(description="Given by an administrator. Since 0.1.")
    allocated: int = strawberry.field(description="Given by a method. Since 0.1.")
    transferred: int = strawberry.field(description="Handed over from owner to owner. Since 0.1.")
    average_wait_seconds: int | None = strawberry.field(
        description="How long those that went out had waited, on average; null where none went. Since 0.1."
    )
    converted: int = strawberry.field(description="Of those that went out: had a deal while they were held. Since 0.1.")
    returned_within30_days: int = strawberry.field(
        description="Of those that went out: released or recycled within 30 days. Since 0.1."
    )
    recycled_without_contact: int = strawberry.field(
        description="Of those recycled: no follow-up of their last holding counted. Since 0.1."
    )


@query(requires="pool:allocate", description="What went into a pool and out of it, and what came of it")
async def customer_pool_metrics(
    info: Info,
    pool: Annotated[strawberry.ID, strawberry.argument(description="The pool (poo_…). Since 0.1.")],
    from_day: Annotated[date, strawberry.argument(name="from", description="The first day. Since 0.1.")],
    to: Annotated[date, strawberry.argument(description="The last day, at most a year later. Since 0.1.")],
) -> CustomerPoolMetrics:
    pool_id = placed_id(pool, prefix="poo", field=("pool",))
    found = await measure_pool(pool_id=pool_id, first=from_day, last=to, won=find_won, time_zone=info.time_zone)
    return CustomerPoolMetrics(
        entered=found.entered,
        released=found.moves.get("released", 0),
        recycled=found.moves.get("recycled", 0),
        moved=found.moves.get("moved", 0),
        claimed=found.moves.get("claimed", 0),
        assigned=found.moves.get("assigned", 0),
        allocated=found.moves.get("allocated", 0),
        transferred=found.moves.get("transferred", 0),
        average_wait_seconds=found.waited_seconds,
        converted=found.converted,
        returned_within30_days=found.returned,
        recycled_without_contact=found.without_contact,
    )
