"""Every action of pools, handovers and allocations, given another company's ids: as if they were missing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import asyncpg
import pytest

from saas.access import AccessTable
from saas.customers import (
    AllocationWish,
    Method,
    OnChange,
    Participant,
    PoolChange,
    assign_customer,
    cancel_allocation,
    change_level,
    close_pool,
    commit_allocation,
    configure_pool,
    draw_certificate,
    explain_allocation,
    list_allocation_problems,
    move_customers,
    own_certificate,
    plan_allocation,
    recycle_due_customers,
    settle_due,
    transfer_customer,
)
from saas.customers.allocation import RosterImpossible
from saas.kernel import Actor, AppError, NotFound, new_id
from saas.sales import find_activity
from tests.rooms.allocation_stage import plan, pooled, staff
from tests.staging import ZONE, Company, refused

ACCESS = AccessTable(
    "everything",
    scopes={"Customer": frozenset({"all"}), "Allocation": frozenset({"all"})},
    permissions=frozenset({"pool:allocate"}),
)


@dataclass(frozen=True)
class Foreign:
    """Ids of one company; for the comparison, ids of nobody."""

    pool_id: UUID
    department_id: UUID
    employee_id: UUID
    pooled_id: UUID
    owned_id: UUID
    allocation_id: UUID


Attempt = Callable[[Company, Actor, Foreign], Awaitable[object]]


async def configure(company: Company, actor: Actor, foreign: Foreign) -> None:
    change = PoolChange(settings={"claim_limit": 1})
    await configure_pool(
        actor, pool_id=foreign.pool_id, change=change, expected_version=1, time_zone=ZONE, clock=company.clock
    )


async def let_in(company: Company, actor: Actor, foreign: Foreign) -> None:
    change = PoolChange(department_ids=(foreign.department_id,))
    await configure_pool(
        actor, pool_id=company.pool_id, change=change, expected_version=1, time_zone=ZONE, clock=company.clock
    )


async def close(company: Company, actor: Actor, foreign: Foreign) -> None:
    await close_pool(actor, pool_id=foreign.pool_id, expected_version=1, clock=company.clock)


async def move(company: Company, actor: Actor, foreign: Foreign) -> object:
    return await move_customers(
        actor, from_pool_id=foreign.pool_id, to_pool_id=company.pool_id, time_zone=ZONE, clock=company.clock
    )


async def assign(company: Company, actor: Actor, foreign: Foreign) -> object:
    assert actor.employee_id is not None
    return await assign_customer(
        actor,
        customer_id=foreign.pooled_id,
        employee_id=actor.employee_id,
        reason="x",
        access=ACCESS,
        time_zone=ZONE,
        clock=company.clock,
    )


async def assign_to(company: Company, actor: Actor, foreign: Foreign) -> object:
    own = await company_customer(company)
    return await assign_customer(
        actor,
        customer_id=own,
        employee_id=foreign.employee_id,
        reason="x",
        access=ACCESS,
        time_zone=ZONE,
        clock=company.clock,
    )


async def transfer(company: Company, actor: Actor, foreign: Foreign) -> object:
    assert actor.employee_id is not None
    return await transfer_customer(
        actor,
        customer_id=foreign.owned_id,
        employee_id=actor.employee_id,
        reason="x",
        access=ACCESS,
        activity=find_activity,
        time_zone=ZONE,
        clock=company.clock,
    )


async def change_level_of(company: Company, actor: Actor, foreign: Foreign) -> object:
    return await change_level(
        actor,
        customer_id=foreign.owned_id,
        level="A",
        reason="x",
        access=ACCESS,
        activity=find_activity,
        time_zone=ZONE,
        clock=company.clock,
    )


async def plan_there(company: Company, actor: Actor, foreign: Foreign) -> object:
    assert actor.employee_id is not None
    return await _plan(company, actor, pool_id=foreign.pool_id, employee_id=actor.employee_id)


async def plan_for(company: Company, actor: Actor, foreign: Foreign) -> object:
    return await _plan(company, actor, pool_id=company.pool_id, employee_id=foreign.employee_id)


async def plan_of(company: Company, actor: Actor, foreign: Foreign) -> object:
    assert actor.employee_id is not None
    return await _plan(
        company, actor, pool_id=company.pool_id, employee_id=actor.employee_id, customer_ids=[foreign.pooled_id]
    )


async def _plan(
    company: Company, actor: Actor, *, pool_id: UUID, employee_id: UUID, customer_ids: list[UUID] | None = None
) -> object:
    wish = AllocationWish(pool_id, Method.FLEXIBLE, [Participant(employee_id)], customer_ids=customer_ids)
    return await plan_allocation(actor, wish, keyring=company.keyring, time_zone=ZONE, clock=company.clock)


async def commit(company: Company, actor: Actor, foreign: Foreign) -> object:
    return await commit_allocation(
        actor,
        allocation_id=foreign.allocation_id,
        plan_hash="0" * 64,
        on_change=OnChange.SKIP,
        keyring=company.keyring,
        time_zone=ZONE,
        clock=company.clock,
    )


async def cancel(company: Company, actor: Actor, foreign: Foreign) -> None:
    await cancel_allocation(actor, allocation_id=foreign.allocation_id, clock=company.clock)


async def explain(company: Company, actor: Actor, foreign: Foreign) -> object:
    return await explain_allocation(
        actor,
        allocation_id=foreign.allocation_id,
        customer_id=foreign.pooled_id,
        employee_id=None,
        access=ACCESS,
    )


async def certificate(company: Company, actor: Actor, foreign: Foreign) -> object:
    return await draw_certificate(actor, allocation_id=foreign.allocation_id, access=ACCESS)


async def extract(company: Company, actor: Actor, foreign: Foreign) -> object:
    return await own_certificate(actor, allocation_id=foreign.allocation_id, access=ACCESS)


async def problems(company: Company, actor: Actor, foreign: Foreign) -> object:
    return await list_allocation_problems(actor, allocation_id=foreign.allocation_id, access=ACCESS)


ATTEMPTS: tuple[Attempt, ...] = (
    configure,
    let_in,
    close,
    move,
    assign,
    assign_to,
    transfer,
    change_level_of,
    plan_there,
    plan_for,
    plan_of,
    commit,
    cancel,
    explain,
    certificate,
    extract,
    problems,
)


async def company_customer(company: Company) -> UUID:
    found = await current_customers(company)
    return found[0]


async def current_customers(company: Company) -> list[UUID]:
    rows = await company.rows("SELECT id FROM customer WHERE owner_id IS NULL ORDER BY id")
    return [row[0] for row in rows if isinstance(row[0], UUID)]


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.__name__)
async def test_ids_of_another_company_are_missing_ids(
    company: Company, other_company: Company, attempt: Attempt
) -> None:
    actor, foreign = await company.hire("0002"), await foreign_ids(other_company)
    await company.enter("自家客户")
    before, theirs = await company.everything(), await other_company.everything()
    nobodys = Foreign(*(new_id() for _ in range(6)))
    of_theirs, of_nobody = [
        await refused(company.within(partial(attempt, company, actor, ids))) for ids in (foreign, nobodys)
    ]
    assert isinstance(of_theirs, NotFound | RosterImpossible)
    assert str(of_theirs).encode() == str(of_nobody).encode()
    assert of_theirs.field == of_nobody.field
    assert await company.everything() == before
    assert await other_company.everything() == theirs


@pytest.mark.parametrize(
    "attempt", [each for each in ATTEMPTS if each is not assign_to], ids=lambda each: each.__name__
)
async def test_an_actor_of_another_company_reaches_nothing(
    company: Company, other_company: Company, attempt: Attempt
) -> None:
    foreign, stranger = await foreign_ids(company), await other_company.hire("0002")
    before = await company.everything()
    with pytest.raises((AppError, asyncpg.PostgresError)):
        await other_company.within(lambda: attempt(other_company, stranger, foreign))
    assert await company.everything() == before


async def test_the_job_of_one_company_touches_no_other(company: Company, other_company: Company) -> None:
    foreign = await foreign_ids(other_company)
    theirs = await other_company.everything()
    await company.recycle()
    done = await company.within(
        lambda: recycle_due_customers(
            company.founder,
            customer_ids=[foreign.owned_id],
            activity=find_activity,
            time_zone=ZONE,
            clock=company.clock,
        )
    )
    assert done == []
    today = company.clock.now().date()
    settled = await company.within(
        lambda: settle_due([foreign.owned_id], activity=find_activity, time_zone=ZONE, today=today)
    )
    assert settled == 0
    assert await other_company.everything() == theirs


async def foreign_ids(company: Company) -> Foreign:
    """Ids of a company with a pooled and an owned customer, and a planned draw."""
    (rep,) = await staff(company, 1, first=77)
    (pooled_id,) = await pooled(company, 1)
    assert rep.employee_id is not None
    return Foreign(
        pool_id=company.pool_id,
        department_id=company.founded.department_id,
        employee_id=rep.employee_id,
        pooled_id=pooled_id,
        owned_id=await company.enter("私海客户", keeper=rep),
        allocation_id=await plan(company, Method.DRAW, [rep]),
    )
