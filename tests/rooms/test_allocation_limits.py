"""What keeps people from an allocation beside the holding limit: thresholds, capacity, cooldowns, a closed way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from saas.customers import Method, PersonLimit
from saas.customers.errors import WayClosed
from tests.rooms.allocation_stage import allocated, employee, picks, plan, pooled, staff
from tests.staging import Company, refused


async def shares(company: Company, allocation_id: UUID) -> dict[object, int]:
    """How many each gets, None for what stays."""
    counted: dict[object, int] = {}
    for _, person, _ in await picks(company, allocation_id):
        counted[person] = counted.get(person, 0) + 1
    return counted


async def test_p13_an_allocation_keeps_the_threshold_of_each_person_in_the_cycle(company: Company) -> None:
    one, two = await staff(company, 2)
    await company.configure(
        assignment_threshold=3,
        assignment_cycle="week",
        assignment_thresholds_of_people=(PersonLimit(employee(two), 1),),
    )
    await pooled(company, 2)
    await allocated(company, Method.FLEXIBLE, [one, two], take=2)
    company.clock.advance(timedelta(days=2))
    await pooled(company, 5, "后来")
    later = await plan(company, Method.FLEXIBLE, [one, two], take=5)
    assert await shares(company, later) == {employee(one): 2, None: 3}
    company.clock.advance(timedelta(days=5))
    next_week = await plan(company, Method.FLEXIBLE, [one, two], take=5)
    assert await shares(company, next_week) == {employee(one): 3, employee(two): 1, None: 1}


async def test_p14_a_thirtieth_of_the_capacity_is_the_most_of_a_day(company: Company) -> None:
    one, two = await staff(company, 2)
    await company.configure(capacity_per_30_days=45, claim_limit=10)
    waiting = await pooled(company, 6)
    await company.claim(one, waiting[0])
    planned = await plan(company, Method.FLEXIBLE, [one, two], take=5)
    assert await shares(company, planned) == {employee(one): 1, employee(two): 2, None: 2}


@pytest.mark.parametrize(
    ("settings", "free_after"),
    [
        ({"cooldown_days": 2}, 3),
        ({"cooldown_days": 0, "cooldown_hours": 30}, 3),
        ({"cooldown_days": 1, "cooldown_hours": 5}, 2),
    ],
)
async def test_p34_an_allocation_never_passes_a_cooldown_in_days_or_hours(
    company: Company, settings: dict[str, Any], free_after: int
) -> None:
    (one,) = await staff(company, 1)
    await company.configure(**settings)
    (customer_id,) = await pooled(company, 1)
    await company.claim(one, customer_id)
    await company.release(one, customer_id)
    for day in range(free_after + 1):
        planned = await plan(company, Method.FLEXIBLE, [one], take=1)
        assert await shares(company, planned) == {employee(one) if day == free_after else None: 1}, day
        company.clock.advance(timedelta(days=1))


async def test_l08_a_cooldown_of_the_department_keeps_its_people_from_an_allocation(company: Company) -> None:
    one, friend = await staff(company, 2)
    await company.configure(cooldown_of_department=True)
    (customer_id,) = await pooled(company, 1)
    await company.claim(one, customer_id)
    await company.release(one, customer_id)
    assert await shares(company, await plan(company, Method.FLEXIBLE, [friend], take=1)) == {None: 1}
    await company.configure(2, cooldown_of_department=False)
    assert await shares(company, await plan(company, Method.FLEXIBLE, [friend], take=1)) == {employee(friend): 1}


async def test_p04_a_pool_without_assignments_is_not_allocated(company: Company) -> None:
    people = await staff(company, 1)
    await pooled(company, 1)
    await company.configure(allows_assignments=False)
    before = await company.everything()
    refusal = await refused(plan(company, Method.FLEXIBLE, people, take=1))
    assert isinstance(refusal, WayClosed)
    assert (refusal.values, refusal.field) == ({"pool": "公海"}, ("pool",))
    assert await company.everything() == before
