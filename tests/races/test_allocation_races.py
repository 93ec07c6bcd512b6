"""Allocations and claims at once: each customer has one owner, each limit holds, nobody waits in a circle."""

from __future__ import annotations

import asyncio
from collections import Counter
from uuid import UUID

from saas.customers import Given, Method, OnChange
from saas.customers.errors import AllocationClosed, CustomerAlreadyOwned, HoldingLimitReached, PlanChanged
from tests.rooms.allocation_stage import give, picks, plan, pooled, staff
from tests.staging import Company

CROWD = 20


async def consistent(company: Company) -> None:
    """What each place knows of who owns what."""
    assert (
        await company.value(
            "SELECT count(*) FROM customer c FULL JOIN (SELECT * FROM ownership WHERE ended_at IS NULL) o"
            " ON o.customer_id = c.id AND o.owner_id = c.owner_id WHERE (c.owner_id IS NULL) <> (o.id IS NULL)"
        )
        == 0
    )
    assert await company.value("SELECT count(*) FROM customer WHERE owner_id IS NOT NULL") == await company.value(
        "SELECT count(*) FROM pool_event WHERE kind IN ('claimed', 'allocated')"
    )


async def test_of_twenty_commits_of_one_plan_one_gives(company: Company) -> None:
    people = await staff(company, 3)
    await pooled(company, 6)
    allocation_id = await plan(company, Method.FLEXIBLE, people)
    outcomes = await asyncio.gather(*(give(company, allocation_id) for _ in range(CROWD)), return_exceptions=True)
    assert Counter(type(each) for each in outcomes) == {Given: 1, AllocationClosed: CROWD - 1}
    assert await company.value("SELECT count(*) FROM ownership") == 6
    await consistent(company)


async def test_of_twenty_plans_of_one_pool_one_gives(company: Company) -> None:
    people = await staff(company, 3)
    await pooled(company, 6)
    plans = [await plan(company, Method.FLEXIBLE, people) for _ in range(CROWD)]
    outcomes = await asyncio.gather(
        *(give(company, each, on_change=OnChange.SKIP) for each in plans), return_exceptions=True
    )
    assert Counter(type(each) for each in outcomes) == {Given: 1, PlanChanged: CROWD - 1}
    assert await company.value("SELECT count(*) FROM ownership") == 6


async def test_an_allocation_and_twenty_claims_share_the_customers(company: Company) -> None:
    people, customers = await staff(company, 4), await pooled(company, CROWD)
    rivals = await staff(company, CROWD, first=100)
    allocation_id = await plan(company, Method.FLEXIBLE, people)
    *claims, given = await asyncio.gather(
        *(company.claim(rival, customer) for rival, customer in zip(rivals[:10], customers[:10], strict=True)),
        *(company.claim(rival, customer) for rival, customer in zip(rivals[10:], customers[10:], strict=True)),
        give(company, allocation_id, on_change=OnChange.SKIP),
        return_exceptions=True,
    )
    assert isinstance(given, Given)
    kinds = Counter(type(each) for each in claims)
    assert kinds[UUID] == given.skipped
    assert kinds[CustomerAlreadyOwned] == CROWD - given.skipped
    assert await company.value("SELECT count(*) FROM customer WHERE owner_id IS NOT NULL") == CROWD
    assert await company.value("SELECT count(*) FROM ownership") == CROWD
    await consistent(company)


async def test_an_allocation_and_the_claims_of_its_people_keep_the_limit(company: Company) -> None:
    """The holding limit of 5 holds for each, whoever comes first."""
    people, customers = await staff(company, 4), await pooled(company, 2 * CROWD)
    await company.set_rules(holding_limit=5)
    allocation_id = await plan(company, Method.FLEXIBLE, people, take=CROWD)
    *claims, given = await asyncio.gather(
        *(company.claim(people[number % 4], customers[CROWD + number]) for number in range(CROWD)),
        give(company, allocation_id, on_change=OnChange.SKIP),
        return_exceptions=True,
    )
    assert isinstance(given, Given)
    assert {type(each) for each in claims} <= {UUID, HoldingLimitReached}
    counts = await company.rows("SELECT count(*) FROM customer WHERE owner_id IS NOT NULL GROUP BY owner_id")
    assert counts == [(5,)] * 4
    states = Counter(state for _, _, state in await picks(company, allocation_id))
    assert states["given"] + sum(isinstance(each, UUID) for each in claims) == 20
    await consistent(company)
