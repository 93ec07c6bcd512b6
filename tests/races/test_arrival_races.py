"""Arrivals, their allocations and claims at once: each customer has one owner, each limit holds, nothing is lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import UUID

from saas.customers import ARRIVALS_GATHERED
from saas.customers.errors import CustomerAlreadyOwned
from saas.events import emit
from tests.races.test_allocation_races import CROWD, consistent
from tests.rooms.allocation_stage import employee, staff
from tests.rooms.arriving import ALLOCATIONS, Worker, automatic, only_members, owners
from tests.staging import Company


async def at_once(worker: Worker) -> None:
    """All messages that are due, each to a worker of its own."""
    while messages := await worker.due():
        await asyncio.gather(*map(worker.deliver, messages))


async def test_twenty_arrivals_heard_of_at_once_are_one_allocation(company: Company) -> None:
    people = await automatic(company, 4)
    worker = Worker(company)
    await at_once(worker)
    await asyncio.gather(*(company.enter(f"客户{number}") for number in range(CROWD)))
    await at_once(worker)
    company.clock.advance(timedelta(seconds=5))
    await at_once(worker)
    assert await company.rows(ALLOCATIONS) == [("committed", "flexible", CROWD, CROWD, 0, 0)]
    assert Counter((await owners(company)).values()) == {each.employee_id: 5 for each in people}
    await consistent(company)


async def test_twenty_jobs_and_twenty_claims_share_what_arrived(company: Company) -> None:
    people = await automatic(company, 3, holding_limit=4)
    rivals = await staff(company, CROWD, first=100)
    customers = [await company.enter(f"客户{number}") for number in range(2 * CROWD)]
    await only_members(company, rivals)

    async def claimants() -> list[UUID]:
        return list(map(employee, people))

    worker = Worker(company, claimants)
    for _ in range(CROWD):
        await company.within(lambda: emit(ARRIVALS_GATHERED, {"pool_id": str(company.pool_id)}))
    claims, _ = await asyncio.gather(
        asyncio.gather(
            *(company.claim(rival, customer) for rival, customer in zip(rivals, customers[:CROWD], strict=True)),
            return_exceptions=True,
        ),
        at_once(worker),
    )
    assert {type(each) for each in claims if isinstance(each, BaseException)} <= {CustomerAlreadyOwned}
    company.clock.advance(timedelta(minutes=1))
    await at_once(worker)
    got = Counter((await owners(company)).values())
    assert {got[each.employee_id] for each in people} == {4}
    assert await company.value("SELECT sum(given) FROM pool_allocation WHERE state = 'committed'") == 12
    await consistent(company)
