"""Large allocations at once with others: one commit wins, nobody waits for a job, and nothing is given twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from saas.customers import COMMIT_AWAITED, Method, OnChange, cancel_allocation, claim_customer, create_pool
from saas.customers.actions import carrying_out
from saas.customers.errors import AllocationClosed, CustomerAlreadyOwned, PoolBeingAllocated
from saas.events import emit
from tests.rooms.allocation_stage import awaited, deliver, delivery_of, order, picks, plan, pooled, staff, work
from tests.staging import REP, ZONE, Company, agreeing, refused

CROWD, CUSTOMERS = 20, 7
STATES = "SELECT state FROM pool_allocation ORDER BY created_at, id"
WAITING = """
SELECT count(*) > 0 FROM pg_locks l JOIN pg_database d ON d.oid = l.database OR l.locktype = 'transactionid'
WHERE d.datname = current_database() AND NOT l.granted
"""


@pytest.fixture(autouse=True)
def three_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a request does by itself is small here, so that a job is asked for seven customers."""
    monkeypatch.setattr("saas.customers.actions.wishes.AT_ONCE", 3)


async def somebody_waits(company: Company) -> None:
    """Until a lock is waited for; each look is a trip to the database."""
    async with asyncio.timeout(20):
        while not await company.value(WAITING):
            pass


async def consistent(company: Company) -> None:
    """Each customer with an owner has its one open ownership and its one line of the ledger."""
    rows = await company.rows(
        "SELECT (SELECT count(*) FROM ownership o WHERE o.customer_id = c.id AND o.owner_id = c.owner_id"
        " AND o.ended_at IS NULL), (SELECT count(*) FROM pool_event e WHERE e.customer_id = c.id)"
        " FROM customer c WHERE c.owner_id IS NOT NULL"
    )
    assert set(rows) <= {(1, 1)}


class Held:
    """A job that stands still when everything is locked and written, and nothing is committed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.has_written, self.may_go_on = asyncio.Event(), asyncio.Event()
        carry: Callable[..., Awaitable[None]] = carrying_out._carry

        async def held(*args: Any) -> None:
            self.has_written.set()
            await self.may_go_on.wait()
            await carry(*args)

        monkeypatch.setattr(carrying_out, "_carry", held)

    async def working(self, company: Company) -> asyncio.Task[None]:
        """The job, until it stands."""
        task = asyncio.create_task(work(company))
        async with asyncio.timeout(20):
            await self.has_written.wait()
        return task

    async def end(self, task: asyncio.Task[None]) -> None:
        """Let it go on to its end."""
        self.may_go_on.set()
        await task


async def test_of_twenty_commits_at_once_one_is_ordered_and_given(company: Company) -> None:
    people = await staff(company, 3)
    await pooled(company, CUSTOMERS)
    allocation_id = await plan(company, Method.FLEXIBLE, people)
    await work(company)
    outcomes = await asyncio.gather(*(order(company, allocation_id) for _ in range(CROWD)), return_exceptions=True)
    assert Counter(type(each) for each in outcomes) == {type(None): 1, AllocationClosed: CROWD - 1}
    assert len(await awaited(company)) == 1
    await work(company)
    assert await company.value("SELECT count(*) FROM ownership") == CUSTOMERS
    await consistent(company)


async def test_of_twenty_plans_of_one_pool_one_is_being_carried_out(company: Company) -> None:
    people = await staff(company, 3)
    await pooled(company, CUSTOMERS)
    plans = [await plan(company, Method.FLEXIBLE, people) for _ in range(CROWD)]
    await work(company)
    outcomes = await asyncio.gather(*(order(company, each) for each in plans), return_exceptions=True)
    assert Counter(type(each) for each in outcomes) == {type(None): 1, PoolBeingAllocated: CROWD - 1}
    assert Counter(await company.rows(STATES)) == {("committing",): 1, ("planned",): CROWD - 1}
    await work(company)
    assert Counter(await company.rows(STATES)) == {("committed",): 1, ("planned",): CROWD - 1}


async def test_a_claim_during_a_large_commit_is_told_so_at_once(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of the customers stay in the pool; a rep on the roster and one beside it ask, for one of either kind."""
    people, customers = await staff(company, 3), await pooled(company, CUSTOMERS + 2)
    beside = await company.hire("0099")
    allocation_id = await plan(company, Method.FLEXIBLE, people, take=CUSTOMERS)
    await work(company)
    await order(company, allocation_id)
    held = Held(monkeypatch)
    task = await held.working(company)
    before = await company.everything()
    for rep in (people[0], beside):
        for customer_id in (customers[0], customers[-1]):
            refusal = await refused(company.claim(rep, customer_id))
            assert (type(refusal), refusal.values, refusal.field) == (
                PoolBeingAllocated,
                {"pool": "公海"},
                ("input", "customer"),
            )
    assert await company.everything() == before
    await held.end(task)
    assert isinstance(await refused(company.claim(beside, customers[0])), CustomerAlreadyOwned)
    assert await company.claim(beside, customers[-1]) == customers[-1]
    assert await company.rows(STATES) == [("committed",)]
    await consistent(company)


async def test_claims_from_another_pool_go_on_but_those_of_people_on_the_roster(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How many they hold is about to change: they wait as long as a request may, and are refused by the lock."""
    people, customers = await staff(company, 3), await pooled(company, CUSTOMERS + 2)
    beside = await company.hire("0099")
    other_id = await company.within(
        lambda: create_pool(company.founder, name="老客户", time_zone=ZONE, clock=company.clock)
    )
    await company.run("UPDATE customer SET pool_id = $1 WHERE id = ANY ($2)", other_id, customers[CUSTOMERS:])
    allocation_id = await plan(company, Method.FLEXIBLE, people)
    await work(company)
    await order(company, allocation_id)
    held = Held(monkeypatch)
    task = await held.working(company)
    assert await company.claim(beside, customers[-1]) == customers[-1]
    before = await company.everything()
    with pytest.raises(asyncpg.LockNotAvailableError):
        await company.claim(people[0], customers[-2])
    assert await company.everything() == before
    await held.end(task)
    assert await company.claim(people[0], customers[-2]) == customers[-2]


async def test_a_job_waits_for_the_claim_that_was_first(company: Company) -> None:
    people, customers = await staff(company, 3), await pooled(company, CUSTOMERS)
    beside = await company.hire("0099")
    allocation_id = await plan(company, Method.FLEXIBLE, people)
    await work(company)
    await order(company, allocation_id, on_change=OnChange.SKIP)
    async with company.database.transaction(company.tenant_id):
        await claim_customer(
            beside, customer_id=customers[0], access=REP, guard=agreeing, time_zone=ZONE, clock=company.clock
        )
        task = asyncio.create_task(work(company))
        await somebody_waits(company)
    await task
    assert await company.rows("SELECT state, given, skipped FROM pool_allocation") == [("committed", 6, 1)]
    assert await company.value("SELECT owner_id FROM customer WHERE id = $1", customers[0]) == beside.employee_id
    await consistent(company)


@pytest.mark.parametrize("events", [1, 2])
async def test_deliveries_at_once_give_once(company: Company, events: int) -> None:
    people = await staff(company, 3)
    await pooled(company, CUSTOMERS)
    allocation_id = await plan(company, Method.FLEXIBLE, people)
    await work(company)
    await order(company, allocation_id)
    for _ in range(events - 1):
        await company.within(lambda: emit(COMMIT_AWAITED, {"allocation_id": str(allocation_id)}))
    messages = await awaited(company)
    await asyncio.gather(*(deliver(delivery_of(company), message) for message in messages * 2))
    assert await awaited(company) == []
    assert await company.value("SELECT count(*) FROM ownership") == CUSTOMERS
    assert await company.value("SELECT allocations FROM customer_pool") == 1
    await consistent(company)


async def test_who_drops_a_plan_while_it_is_written_does_not_wait_and_nothing_of_it_stays(company: Company) -> None:
    people, customers = await staff(company, 3), await pooled(company, CUSTOMERS)
    allocation_id = await plan(company, Method.DRAW, people)
    before = await company.value("SELECT count(*) FROM audit_entry")
    async with company.database.transaction(company.tenant_id) as transaction:
        await transaction.execute("SELECT FROM customer WHERE id = $1 FOR UPDATE", customers[3])
        task = asyncio.create_task(work(company))
        await somebody_waits(company)
        await asyncio.create_task(dropped(company, allocation_id))
    await task
    assert await company.rows(STATES) == [("cancelled",)]
    assert await picks(company, allocation_id) == []
    assert await company.rows("SELECT id FROM pool_event") == []
    assert await company.value("SELECT count(*) FROM audit_entry") == int(str(before)) + 1


async def dropped(company: Company, allocation_id: UUID) -> None:
    async with company.database.transaction(company.tenant_id):
        await cancel_allocation(company.founder, allocation_id=allocation_id, clock=company.clock)
