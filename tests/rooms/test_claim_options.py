"""The options of claims and holdings, each by its effect: what it refuses with which values, and what it lets by."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from saas.access import AccessTable
from saas.customers import DepartmentLimit, PersonLimit, assign_customer, transfer_customer
from saas.customers.errors import (
    BacklogFull,
    ClaimLimitReached,
    ClaimTooSoon,
    CooldownRunning,
    FairWindowRuns,
    HoldingLimitReached,
    WayClosed,
)
from saas.kernel import Actor, AppError
from saas.people import create_department
from saas.sales import find_activity
from tests.staging import ALL, ZONE, Company, refused


@pytest_asyncio.fixture(loop_scope="session")
async def rep(company: Company) -> Actor:
    return await company.hire("0002")


async def assign(company: Company, to: Actor, customer_id: UUID, *, by: Actor | None = None) -> UUID:
    actor = by or company.founder
    assert to.employee_id is not None
    employee_id = to.employee_id
    return await company.within(
        lambda: assign_customer(
            actor,
            customer_id=customer_id,
            employee_id=employee_id,
            reason="试用",
            access=ALL,
            time_zone=ZONE,
            clock=company.clock,
        )
    )


async def transfer(company: Company, to: Actor, customer_id: UUID) -> UUID:
    assert to.employee_id is not None
    employee_id = to.employee_id
    return await company.within(
        lambda: transfer_customer(
            company.founder,
            customer_id=customer_id,
            employee_id=employee_id,
            reason="试用",
            access=ALL,
            activity=find_activity,
            time_zone=ZONE,
            clock=company.clock,
        )
    )


async def entered(company: Company, count: int) -> list[UUID]:
    return [await company.enter(f"客户{number}") for number in range(count)]


async def refusal_of(company: Company, attempt: object, kind: type[AppError]) -> dict[str, object]:
    """The values of the refusal; nothing but the refusal's own trail may have changed."""
    before = await company.everything()
    refusal = await refused(attempt)  # type: ignore[arg-type]
    assert isinstance(refusal, kind), refusal
    assert await company.everything() == before
    return dict(refusal.values)


async def test_p04_a_pool_without_claims_is_assigned_only(company: Company, rep: Actor) -> None:
    (customer_id,) = await entered(company, 1)
    await company.configure(allows_claims=False)
    assert await refusal_of(company, company.claim(rep, customer_id), WayClosed) == {"pool": "公海"}
    await assign(company, rep, customer_id)


async def test_p04_a_pool_without_assignments_is_claimed_only(company: Company, rep: Actor) -> None:
    (customer_id,) = await entered(company, 1)
    await company.configure(allows_assignments=False)
    assert await refusal_of(company, assign(company, rep, customer_id), WayClosed) == {"pool": "公海"}
    await company.claim(rep, customer_id)


async def test_p05_and_p09_may_be_without_a_limit(company: Company, rep: Actor) -> None:
    await company.configure(claim_limit=None, holding_limit=None)
    for customer_id in await entered(company, 12):
        await company.claim(rep, customer_id)
    assert await company.value("SELECT claims FROM claim_count WHERE employee_id = $1", rep.employee_id) == 12


async def test_p07_an_administrator_s_own_claims_pass_where_the_pool_says_so(company: Company, rep: Actor) -> None:
    one, two, three = await entered(company, 3)
    admin = AccessTable("manager", permissions=frozenset({"customer:assign"}), scopes=ALL.scopes)
    await company.configure(claim_limit=1)
    await company.claim(rep, one, access=admin)
    values = await refusal_of(company, company.claim(rep, two, access=admin), ClaimLimitReached)
    assert values == {"pool": "公海", "limit": 1, "free_from": "2026-11-24"}
    await company.configure(2, admins_claim_freely=True)
    await company.claim(rep, two, access=admin)
    await refusal_of(company, company.claim(rep, three), ClaimLimitReached)
    assert await company.value("SELECT claims FROM claim_count WHERE employee_id = $1", rep.employee_id) == 2


async def test_p08_minutes_lie_between_two_claims(company: Company, rep: Actor) -> None:
    one, two = await entered(company, 2)
    other = await company.hire("0003")
    await company.configure(claim_interval_minutes=10)
    await company.claim(rep, one)
    company.clock.advance(timedelta(minutes=9, seconds=59))
    values = await refusal_of(company, company.claim(rep, two), ClaimTooSoon)
    assert values == {"pool": "公海", "minutes": 10, "free_at": "2026-11-23T10:10+08:00"}
    company.clock.advance(timedelta(seconds=1))
    await company.claim(rep, two)
    await company.release(rep, one)
    await company.claim(other, one)


async def test_p08_of_twenty_claims_at_once_one_goes_through(company: Company, rep: Actor) -> None:
    await company.configure(claim_interval_minutes=10)
    customers = await entered(company, 20)
    outcomes = await asyncio.gather(*(company.claim(rep, each) for each in customers), return_exceptions=True)
    assert sorted(type(each).__name__ for each in outcomes) == ["ClaimTooSoon"] * 19 + ["UUID"]
    assert await company.value("SELECT count(*) FROM customer WHERE owner_id = $1", rep.employee_id) == 1


async def test_p09_the_most_specific_personal_limit_applies(company: Company, rep: Actor) -> None:
    assert rep.employee_id is not None
    other = await company.hire("0003")
    one, two, three, four = await entered(company, 4)
    department_id = company.founded.department_id
    await company.configure(
        holding_limit=3,
        holding_limits_of_departments=(DepartmentLimit(department_id, each=2),),
        holding_limits_of_people=(PersonLimit(rep.employee_id, 1),),
    )
    await company.claim(rep, one)
    values = await refusal_of(company, company.claim(rep, two), HoldingLimitReached)
    assert values == {"pool": "公海", "limit": 1, "holding": 1}
    assert (await refusal_of(company, assign(company, rep, two), HoldingLimitReached))["limit"] == 1
    await company.claim(other, two)
    await company.claim(other, three)
    values = await refusal_of(company, company.claim(other, four), HoldingLimitReached)
    assert values == {"pool": "公海", "limit": 2, "holding": 2}
    values = await refusal_of(company, transfer(company, rep, two), HoldingLimitReached)
    assert values == {"pool": "公海", "limit": 1, "holding": 1}
    values = await refusal_of(company, company.enter("自建", keeper=rep), HoldingLimitReached)
    assert values == {"pool": "公海", "limit": 1, "holding": 1}


async def test_p09_a_department_s_limit_holds_in_addition_for_all_below_it(company: Company, rep: Actor) -> None:
    team = await company.within(
        lambda: create_department(
            company.founder, name="华东", parent_id=company.founded.department_id, clock=company.clock
        )
    )
    other = await company.hire("0003", department_id=team.id)
    limit = DepartmentLimit(company.founded.department_id, together=2)
    await company.configure(holding_limits_of_departments=(limit,))
    one, two, three = await entered(company, 3)
    await company.claim(rep, one)
    await company.claim(other, two)
    for person in (rep, other):
        values = await refusal_of(company, company.claim(person, three), HoldingLimitReached)
        assert (values["limit"], values["holding"]) == (2, 2)
    await company.release(rep, one)
    await company.claim(other, three)


async def test_p09_twenty_of_a_department_at_once_keep_its_limit(company: Company) -> None:
    people = [await company.hire(f"1{number:03}") for number in range(20)]
    limit = DepartmentLimit(company.founded.department_id, together=5)
    await company.configure(holding_limits_of_departments=(limit,))
    customers = await entered(company, 20)
    pairs = zip(people, customers, strict=True)
    outcomes = await asyncio.gather(*(company.claim(who, what) for who, what in pairs), return_exceptions=True)
    assert sorted(type(each).__name__ for each in outcomes) == ["HoldingLimitReached"] * 15 + ["UUID"] * 5
    assert await company.value("SELECT count(*) FROM customer WHERE owner_id IS NOT NULL") == 5


@pytest.mark.parametrize("counts_dealt", [False, True])
async def test_p10_dealt_customers_count_where_the_pool_says_so(
    company: Company, rep: Actor, counts_dealt: bool
) -> None:
    one, two = await entered(company, 2)
    await company.configure(holding_limit=1, counts_dealt=counts_dealt)
    await company.claim(rep, one)
    await company.run("UPDATE customer SET last_deal_on = $2 WHERE id = $1", one, date(2026, 11, 20))
    if counts_dealt:
        values = await refusal_of(company, company.claim(rep, two), HoldingLimitReached)
        assert values == {"pool": "公海", "limit": 1, "holding": 1}
    else:
        await company.claim(rep, two)


@pytest.mark.parametrize("column", ["level", "source", "industry"])
async def test_p11_what_the_filter_names_does_not_count(company: Company, rep: Actor, column: str) -> None:
    one, two, three = await entered(company, 3)
    await company.run(f"UPDATE customer SET {column} = 'A' WHERE id = $1", one)
    names = {"level": "uncounted_levels", "source": "uncounted_sources", "industry": "uncounted_industries"}
    wanted: dict[str, Any] = {"holding_limit": 1, names[column]: ("A", "B")}
    await company.configure(**wanted)
    await company.claim(rep, one)
    await company.claim(rep, two)
    values = await refusal_of(company, company.claim(rep, three), HoldingLimitReached)
    assert values == {"pool": "公海", "limit": 1, "holding": 1}


async def test_p12_who_has_too_many_untouched_customers_follows_up_first(company: Company, rep: Actor) -> None:
    one, two, three = await entered(company, 3)
    await company.configure(first_follow_up_limit=2)
    await company.claim(rep, one)
    await company.claim(rep, two)
    values = await refusal_of(company, company.claim(rep, three), BacklogFull)
    assert values == {"pool": "公海", "limit": 2, "waiting": 2}
    await company.follow_up(rep, one, "上门拜访，了解了采购计划")
    await company.claim(rep, three)


async def test_p34_hours_run_from_the_minute_of_the_release(company: Company, rep: Actor) -> None:
    (customer_id,) = await entered(company, 1)
    await company.configure(cooldown_days=0, cooldown_hours=2)
    await company.claim(rep, customer_id)
    company.clock.advance(timedelta(minutes=30))
    await company.release(rep, customer_id)
    company.clock.advance(timedelta(hours=1, minutes=59))
    values = await refusal_of(company, company.claim(rep, customer_id), CooldownRunning)
    assert values == {"pool": "公海", "hours": 2, "free_at": "2026-11-23T12:30+08:00"}
    company.clock.advance(timedelta(minutes=1))
    await company.claim(rep, customer_id)


async def test_l08_a_friend_in_the_department_waits_as_the_former_owner_does(company: Company, rep: Actor) -> None:
    team = await company.within(
        lambda: create_department(
            company.founder, name="华东", parent_id=company.founded.department_id, clock=company.clock
        )
    )
    friend, stranger = await company.hire("0003"), await company.hire("0004", department_id=team.id)
    (customer_id,) = await entered(company, 1)
    await company.configure(cooldown_of_department=True)
    await company.claim(rep, customer_id)
    await company.release(rep, customer_id)
    for person in (rep, friend):
        values = await refusal_of(company, company.claim(person, customer_id), CooldownRunning)
        assert values == {"pool": "公海", "days": 7, "free_from": "2026-12-01"}
    await company.claim(stranger, customer_id)


@pytest.mark.parametrize(
    ("window", "free_at"),
    [
        ({"fair_window_hours": 3}, "2026-11-23T13:00+08:00"),
        ({"fair_window_days": 1}, "2026-11-25T00:00+08:00"),
        ({"fair_window_opens_at": "09:00"}, "2026-11-24T09:00+08:00"),
    ],
)
async def test_p35_nobody_is_first_because_they_sat_there(
    company: Company, rep: Actor, window: dict[str, Any], free_at: str
) -> None:
    (customer_id,) = await entered(company, 1)
    await company.configure(**window)
    values = await refusal_of(company, company.claim(rep, customer_id), FairWindowRuns)
    assert values == {"pool": "公海", "free_at": free_at}
    await assign(company, rep, customer_id)


async def test_p35_a_release_opens_a_window_again(company: Company, rep: Actor) -> None:
    (customer_id,) = await entered(company, 1)
    other = await company.hire("0003")
    await company.configure(fair_window_hours=3)
    company.clock.advance(timedelta(hours=3))
    await company.claim(rep, customer_id)
    await company.release(rep, customer_id)
    values = await refusal_of(company, company.claim(other, customer_id), FairWindowRuns)
    assert values == {"pool": "公海", "free_at": "2026-11-23T16:00+08:00"}
    company.clock.advance(timedelta(hours=3))
    await company.claim(other, customer_id)


async def test_the_owner_of_a_customer_is_told_before_any_of_it(company: Company, rep: Actor) -> None:
    """Of twenty that come at once, nineteen learn that it is taken, whatever else would refuse them."""
    (customer_id,) = await entered(company, 1)
    await company.configure(claim_interval_minutes=10, first_follow_up_limit=1)
    people = [await company.hire(f"1{number:03}") for number in range(20)]
    outcomes = await asyncio.gather(*(company.claim(who, customer_id) for who in people), return_exceptions=True)
    assert sorted(type(each).__name__ for each in outcomes) == ["CustomerAlreadyOwned"] * 19 + ["UUID"]
