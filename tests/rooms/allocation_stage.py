"""Allocations for the tests of rooms and races: short ways to plan and to commit, and the product's own jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from saas.access import AccessTable
from saas.customers import (
    COMMIT_AWAITED,
    PLAN_AWAITED,
    AllocationWish,
    Given,
    Method,
    OnChange,
    Participant,
    cancel_allocation,
    commit_allocation,
    list_allocation_problems,
    plan_allocation,
)
from saas.customers.jobs import DEAL, GIVE, LONGEST, AllocationJobs
from saas.events import Delivery, Handler, Handlers
from saas.jobs import RetryPolicy
from saas.kernel import Actor, InputProblem
from tests.payroll_stage import KeptSealer
from tests.staging import ZONE, Company

MANAGER = AccessTable("manager", scopes={"Allocation": frozenset({"all"})}, permissions=frozenset({"pool:allocate"}))
CUSTOMERS = 7
STATE = "SELECT state FROM pool_allocation WHERE id = $1"
"""Of a plan that is large where three are dealt at once."""


async def plan(company: Company, method: Method, people: Sequence[Actor | Participant], **wish: Any) -> UUID:
    """Plan by the founder; the id."""
    asked = [each if isinstance(each, Participant) else Participant(employee(each)) for each in people]
    wanted = AllocationWish(pool_id=company.pool_id, method=method, people=asked, **wish)
    return await company.within(
        lambda: plan_allocation(company.founder, wanted, keyring=company.keyring, time_zone=ZONE, clock=company.clock)
    )


async def give(
    company: Company,
    allocation_id: UUID,
    *,
    plan_hash: str | None = None,
    on_change: OnChange = OnChange.REFUSE,
    seed_value: str | None = None,
) -> Given:
    """Commit by the founder, with the plan's own hash where none is given; of few customers."""
    given = await order(company, allocation_id, plan_hash=plan_hash, on_change=on_change, seed_value=seed_value)
    assert given is not None
    return given


async def order(
    company: Company,
    allocation_id: UUID,
    *,
    plan_hash: str | None = None,
    on_change: OnChange = OnChange.REFUSE,
    seed_value: str | None = None,
) -> Given | None:
    """As `give`; of many customers a job is asked, and the answer is None."""
    shown = plan_hash or str(await company.value("SELECT plan_hash FROM pool_allocation WHERE id = $1", allocation_id))
    return await company.within(
        lambda: commit_allocation(
            company.founder,
            allocation_id=allocation_id,
            plan_hash=shown,
            on_change=on_change,
            seed_value=seed_value,
            keyring=company.keyring,
            time_zone=ZONE,
            clock=company.clock,
        )
    )


async def allocated(company: Company, method: Method, people: Sequence[Actor | Participant], **wish: Any) -> Given:
    """Plan and commit."""
    return await give(company, await plan(company, method, people, **wish))


async def picks(company: Company, allocation_id: UUID) -> list[tuple[object, ...]]:
    """Customer, person and state, in order."""
    return await company.rows(
        "SELECT customer_id, employee_id, state FROM allocation_pick WHERE allocation_id = $1 ORDER BY place",
        allocation_id,
    )


def employee(actor: Actor) -> UUID:
    assert actor.employee_id is not None
    return actor.employee_id


async def staff(company: Company, count: int, first: int = 2) -> list[Actor]:
    return [await company.hire(f"{number:04}", name=f"员工{number}") for number in range(first, first + count)]


async def pooled(company: Company, count: int, prefix: str = "客户") -> list[UUID]:
    """Customers that wait in the pool, in this order."""
    found = []
    for number in range(count):
        found.append(await company.enter(f"{prefix}{number}"))
        await company.run(
            "UPDATE customer SET created_at = created_at + $2 * interval '1 second' WHERE id = $1", found[-1], number
        )
    return found


def delivery_of(company: Company, around: Callable[[Handler], Handler] | None = None, *, attempts: int = 8) -> Delivery:
    """The worker's way to the handlers of allocations; `around` may put something about those that do the work."""
    jobs, handlers = AllocationJobs(KeptSealer(company), company.clock), Handlers([PLAN_AWAITED, COMMIT_AWAITED])  # type: ignore[arg-type]
    if around is None:
        jobs.listen(handlers)
    else:
        ways = (
            (PLAN_AWAITED, DEAL, jobs.deal, jobs.give_up_plan),
            (COMMIT_AWAITED, GIVE, jobs.give, jobs.give_up_commit),
        )
        for topic, name, handler, given_up in ways:
            handlers.on(topic, name=name, handler=around(handler), longest=LONGEST, given_up=given_up)
    return Delivery(company.database, handlers, retry=RetryPolicy(max_attempts=attempts), clock=company.clock)


async def awaited(company: Company) -> list[tuple[str, str, int]]:
    """The messages that wait for the jobs of allocations, in order."""
    rows = await company.rows(
        "SELECT id, attempts FROM outbox WHERE topic = ANY ($1) AND done_at IS NULL ORDER BY created_at, id",
        [PLAN_AWAITED, COMMIT_AWAITED],
    )
    return [(str(company.tenant_id), str(event_id), int(str(attempts))) for event_id, attempts in rows]


async def deliver(delivery: Delivery, message: tuple[str, str, int]) -> None:
    """Carry a message to its handler, and wait for that."""
    await delivery(*message)
    if delivery.long_run is not None:
        await asyncio.wait({delivery.long_run})


async def work(company: Company) -> None:
    """Let the jobs do what they are asked for; none may fail."""
    for message in await awaited(company):
        await deliver(delivery_of(company), message)
        assert await company.value("SELECT done_at FROM outbox WHERE id = $1", UUID(message[1])) is not None


async def asked(company: Company, method: Method = Method.FLEXIBLE, **wish: Any) -> UUID:
    """A plan of seven customers to three people that no job has made yet."""
    people = await staff(company, 3)
    await pooled(company, CUSTOMERS)
    return await plan(company, method, people, **wish)


async def planned(company: Company, method: Method = Method.FLEXIBLE, **wish: Any) -> UUID:
    allocation_id = await asked(company, method, **wish)
    await work(company)
    return allocation_id


async def problems(company: Company, allocation_id: UUID) -> list[InputProblem]:
    return await company.within(
        lambda: list_allocation_problems(company.founder, allocation_id=allocation_id, access=MANAGER)
    )


async def cancel(company: Company, allocation_id: UUID) -> None:
    await company.within(lambda: cancel_allocation(company.founder, allocation_id=allocation_id, clock=company.clock))


def without(everything: dict[str, list[tuple[object, ...]]], *tables: str) -> dict[str, list[tuple[object, ...]]]:
    """What stands in the other tables."""
    return {table: rows for table, rows in everything.items() if table not in tables}
