"""Who administers a pool (P01): of those who may assign the people whom it names, wherever a pool is administered."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

import pytest_asyncio

from saas.access import AccessTable
from saas.customers import (
    Method,
    OwnershipRequests,
    PoolChange,
    assign_customer,
    cancel_allocation,
    configure_pool,
    create_pool,
)
from saas.customers.errors import (
    AdministratorNotOnStaff,
    ClaimLimitReached,
    NotAPoolAdministrator,
    PoolNotFound,
)
from saas.kernel import Actor, AppError, new_id
from saas.people.errors import EmployeeNotFound
from tests.rooms.allocation_stage import give, plan
from tests.rooms.test_ownership_requests import BOSS, ask, decide, kept
from tests.staging import ALL, REP, ZONE, Company, agreeing

OWNERS = "SELECT name, owner_id FROM customer ORDER BY name_key"
NAMED = "SELECT employee_id FROM pool_administrator ORDER BY 1"


async def configure(company: Company, *, version: int = 1, pool_id: UUID | None = None, **change: Any) -> None:
    configured = partial(configure_pool, company.founder, pool_id=pool_id or company.pool_id)
    wanted = PoolChange(**change)
    await company.within(
        partial(configured, change=wanted, expected_version=version, time_zone=ZONE, clock=company.clock)
    )


async def name(company: Company, *people: Actor, version: int = 1, pool_id: UUID | None = None) -> None:
    """The people who administer the pool from now on."""
    ids = tuple(each.employee_id for each in people if each.employee_id is not None)
    await configure(company, version=version, pool_id=pool_id, administrator_ids=ids)


async def assign(company: Company, actor: Actor, customer_id: UUID, to: Actor) -> UUID:
    assert to.employee_id is not None
    given = partial(assign_customer, actor, customer_id=customer_id, employee_id=to.employee_id, reason="试用")
    return await company.within(partial(given, access=ALL, time_zone=ZONE, clock=company.clock))


@pytest_asyncio.fixture(loop_scope="session")
async def leader(company: Company) -> Actor:
    """Who alone administers the default pool; the founder may assign too."""
    leader = await company.hire("0002", name="韩梅")
    await name(company, leader)
    return leader


async def test_p01_only_whom_the_pool_names_assigns_from_it(company: Company, leader: Actor) -> None:
    rep, one, two = await company.hire("0003"), await company.enter("甲"), await company.enter("乙")
    for receiver in (rep, company.founder, leader):
        refusal = await kept(company, assign(company, company.founder, one, receiver), NotAPoolAdministrator)
        assert (refusal.field, refusal.values) == (
            ("input", "customer"),
            {"pool": "公海", "administrators": "韩梅"},
        )
    await assign(company, leader, one, rep)
    await assign(company, leader, two, leader)
    assert await company.rows(OWNERS) == [("甲", rep.employee_id), ("乙", leader.employee_id)]


async def test_p01_another_pool_is_nobody_s_in_particular(company: Company, leader: Actor) -> None:
    other = await company.within(
        lambda: create_pool(company.founder, name="二号公海", time_zone=ZONE, clock=company.clock)
    )
    await configure(company, pool_id=other, is_default=True)
    rep, customer_id = await company.hire("0003"), await company.enter("甲")
    await assign(company, company.founder, customer_id, rep)
    assert await company.rows(OWNERS) == [("甲", rep.employee_id)]


async def test_p01_requests_are_decided_by_whom_the_pool_names(company: Company, leader: Actor) -> None:
    await configure(company, version=2, settings={"claims_need_approval": True, "assignments_need_approval": True})
    rep, one, two = await company.hire("0003"), await company.enter("甲"), await company.enter("乙")
    claim = await ask(company, rep, one)
    for is_granted in (True, False):
        attempt = decide(company, company.founder, claim, is_granted=is_granted)
        refusal = await kept(company, attempt, NotAPoolAdministrator)
        assert refusal.field == ("input", "request")
    await kept(company, ask(company, company.founder, two, to=rep), NotAPoolAdministrator)
    await decide(company, leader, claim)
    second = await company.hire("0004", name="王芳")
    await name(company, leader, second, version=3)
    await decide(company, second, await ask(company, leader, two, to=rep))
    assert await company.rows(OWNERS) == [("甲", rep.employee_id), ("乙", rep.employee_id)]


async def test_p01_a_request_of_a_customer_that_moved_is_granted_by_neither_pool_alone(
    company: Company, leader: Actor
) -> None:
    """Whoever administers the pool where it was asked for decides nothing about the pool where the customer is now."""
    await configure(company, version=2, settings={"claims_need_approval": True})
    rep, customer_id = await company.hire("0003"), await company.enter("甲")
    claim = await ask(company, rep, customer_id)
    other = await company.within(
        lambda: create_pool(company.founder, name="二号公海", time_zone=ZONE, clock=company.clock)
    )
    await name(company, company.founder, pool_id=other)
    await company.run("UPDATE customer SET pool_id = $1", other)
    for actor in (leader, company.founder):
        await kept(company, decide(company, actor, claim), NotAPoolAdministrator)
    assert await company.rows(OWNERS) == [("甲", None)]


async def test_p01_only_whom_the_pool_names_claims_freely(company: Company, leader: Actor) -> None:
    await configure(company, version=2, settings={"admins_claim_freely": True, "claim_limit": 0})
    one, two = await company.enter("甲"), await company.enter("乙")
    await kept(company, company.claim(company.founder, one, access=BOSS), ClaimLimitReached)
    await company.claim(leader, two, access=BOSS)
    assert await company.rows(OWNERS) == [("甲", None), ("乙", leader.employee_id)]


async def test_p01_allocations_are_planned_committed_and_dropped_by_whom_the_pool_names(
    company: Company, leader: Actor
) -> None:
    rep = await company.hire("0003")
    await company.enter("甲")
    refusal = await kept(company, plan(company, Method.FLEXIBLE, [rep], take=1), NotAPoolAdministrator)
    assert refusal.field == ("pool",)
    await name(company, company.founder, version=2)
    allocation_id = await plan(company, Method.FLEXIBLE, [rep], take=1)
    await name(company, leader, version=3)
    await kept(company, give(company, allocation_id), NotAPoolAdministrator)
    drop = partial(cancel_allocation, company.founder, allocation_id=allocation_id, clock=company.clock)
    refusal = await kept(company, company.within(drop), NotAPoolAdministrator)
    assert refusal.field == ("allocation",)
    await name(company, leader, company.founder, version=4)
    await give(company, allocation_id)
    assert await company.rows(OWNERS) == [("甲", rep.employee_id)]


async def test_p01_a_pool_is_never_without_anybody(company: Company, leader: Actor) -> None:
    """Whoever left is named still, and administers nothing: where nobody else is named, all who may assign do."""
    rep, one, two = await company.hire("0003"), await company.enter("甲"), await company.enter("乙")
    await kept(company, assign(company, company.founder, one, rep), NotAPoolAdministrator)
    await company.run(
        "UPDATE employee SET status = 'separated', left_on = '2026-11-23' WHERE id = $1", leader.employee_id
    )
    await assign(company, company.founder, one, rep)
    second = await company.hire("0004", name="王芳")
    await company.run(
        "INSERT INTO pool_administrator (tenant_id, pool_id, employee_id) VALUES ($1, $2, $3)",
        company.tenant_id,
        company.pool_id,
        second.employee_id,
    )
    refusal = await kept(company, assign(company, company.founder, two, rep), NotAPoolAdministrator)
    assert refusal.values["administrators"] == "王芳"
    await name(company, version=2)
    await assign(company, company.founder, two, rep)
    assert await company.rows(NAMED) == []


async def test_p01_unknown_and_departed_people_are_refused_at_save(company: Company, leader: Actor) -> None:
    gone = await company.hire("0003", name="李雷")
    await company.run(
        "UPDATE employee SET status = 'separated', left_on = '2026-11-23' WHERE id = $1", gone.employee_id
    )
    for person, kind in ((gone.employee_id, AdministratorNotOnStaff), (new_id(), EmployeeNotFound)):
        attempt = configure(company, version=2, administrator_ids=(leader.employee_id, person))
        refusal: AppError = await kept(company, attempt, kind)
        assert refusal.field == ("administrators", "1")
    await kept(company, name(company, leader, pool_id=new_id()), PoolNotFound)
    trail = await company.rows(
        "SELECT changes->'administrators' FROM audit_entry WHERE action = 'customer_pool.configured'"
    )
    assert trail == [(f'["", "{leader.employee_id}"]',)]


async def test_p01_who_may_not_assign_at_all_is_no_administrator(company: Company) -> None:
    """The pool names some of those who hold the permission; it gives it to nobody."""
    rep, customer_id = await company.hire("0003"), await company.enter("甲")
    await name(company, rep)
    await configure(company, version=2, settings={"admins_claim_freely": True, "claim_limit": 0})
    await kept(company, company.claim(rep, customer_id, access=REP), ClaimLimitReached)
    requests = OwnershipRequests(rep, AccessTable("rep"), agreeing, ZONE, company.clock)
    assert await company.within(partial(_is_refused, requests, customer_id, company.founder))


async def _is_refused(requests: OwnershipRequests, customer_id: UUID, to: Actor) -> bool:
    try:
        await requests.ask(customer_id=customer_id, employee_id=to.employee_id, reason="试用")
    except AppError as refusal:
        return refusal.key == "access.permission_missing"
    return False
