"""An allocation keeps what a department may hold together, in its plan, its commit and its explanations (P09)."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import date
from uuid import UUID

import pytest

from saas.customers import DepartmentLimit, Given, Method, OnChange, explain_allocation
from saas.customers.allocation import verify_certificate
from saas.customers.errors import HoldingLimitReached, PlanChanged
from saas.kernel import Actor, Catalogue
from saas.people import create_department
from tests.rooms.allocation_stage import MANAGER, allocated, employee, give, picks, plan, pooled, staff
from tests.staging import Company, refused

CATALOGUE = Catalogue.of(["saas.customers"])
OWNED = "SELECT count(*) FROM customer WHERE owner_department_id = $1 AND owner_id IS NOT NULL"


async def team_of(company: Company, people: int) -> tuple[UUID, list[Actor]]:
    """A department below the company's own, with people."""
    made = await company.within(
        lambda: create_department(
            company.founder, name="华东", parent_id=company.founded.department_id, clock=company.clock
        )
    )
    hired = [
        await company.hire(f"5{number:03}", name=f"华东{number}", department_id=made.id) for number in range(people)
    ]
    return made.id, hired


async def limited(company: Company, people: int, together: int) -> tuple[UUID, list[Actor]]:
    team, hired = await team_of(company, people)
    await company.configure(holding_limits_of_departments=(DepartmentLimit(team, together=together),))
    return team, hired


async def counts(company: Company, allocation_id: UUID) -> Counter[object]:
    return Counter(person for _, person, _ in await picks(company, allocation_id))


async def test_p09_an_allocation_gives_a_department_no_more_than_it_may_hold_together(company: Company) -> None:
    team, (one, two) = await limited(company, 2, 4)
    (other,) = await staff(company, 1)
    await company.claim(one, await company.enter("早有的"))
    await pooled(company, 9)
    planned = await plan(company, Method.FLEXIBLE, [one, two, other], take=9)
    dealt = await counts(company, planned)
    assert dealt[employee(one)] + dealt[employee(two)] == 3
    assert dealt[employee(other)] == 6
    given = await give(company, planned)
    assert (len(given.places), given.skipped) == (9, 0)
    assert await company.value(OWNED, team) == 4
    last = (await picks(company, planned))[-1][0]
    assert isinstance(last, UUID)
    why = await company.within(
        lambda: explain_allocation(
            company.founder, allocation_id=planned, customer_id=last, employee_id=employee(one), access=MANAGER
        )
    )
    assert CATALOGUE.text("en", why.key, why.args) == (
        "华东0 could not have “客户＊＊”: department 华东 held 4 of the 4 customers that it may hold together,"
        " and 1 would have been added."
    )


async def test_p09_a_draw_divides_a_department_s_room_before_it_and_its_certificate_fits(company: Company) -> None:
    team, people = await limited(company, 3, 2)
    (other,) = await staff(company, 1)
    await pooled(company, 12)
    planned = await plan(company, Method.DRAW, [*people, other], take=12)
    await give(company, planned)
    assert await company.value(OWNED, team) <= 2  # type: ignore[operator]
    row = "SELECT certificate, commitment FROM pool_allocation WHERE id = $1"
    ((certificate, commitment),) = await company.rows(row, planned)
    assert verify_certificate(str(certificate).encode("ascii"), commitment=str(commitment)) == []
    shares = "SELECT jsonb_path_query_array(roster, '$.candidates[*].department_share')::text FROM pool_allocation"
    assert sorted(json.loads(str(await company.value(shares)))) == [0, 1, 1]


async def test_p09_a_department_filled_since_the_plan_refuses_the_commit_or_is_left_out(company: Company) -> None:
    team, (one, two) = await limited(company, 2, 3)
    await pooled(company, 3)
    planned = await plan(company, Method.FLEXIBLE, [one, two], take=3)
    await company.claim(one, await company.enter("抢先的"))
    before = await company.everything()
    refusal = await refused(give(company, planned))
    assert isinstance(refusal, PlanChanged)
    assert (refusal.key, refusal.values) == ("customers.plan_items_changed", {"changed": 1, "of": 3})
    assert await company.everything() == before
    given = await give(company, planned, on_change=OnChange.SKIP)
    assert (len(given.places), given.skipped) == (2, 1)
    assert await company.value(OWNED, team) == 3


async def test_p09_a_full_department_s_people_are_no_candidates(company: Company) -> None:
    _, (one, two) = await limited(company, 2, 0)
    await pooled(company, 2)
    planned = await plan(company, Method.STRICT, [one, two], take=2)
    assert await counts(company, planned) == {None: 2}
    assert await company.value("SELECT unplaced FROM pool_allocation WHERE id = $1", planned) == 2


@pytest.mark.parametrize("is_refusing", [True, False])
async def test_p09_an_allocation_and_twenty_claims_at_once_keep_the_limit(company: Company, is_refusing: bool) -> None:
    team, people = await limited(company, 20, 10)
    await pooled(company, 8)
    planned = await plan(company, Method.FLEXIBLE, people, take=8)
    waiting = [await company.enter(f"另外{number}") for number in range(20)]
    claims = (company.claim(who, what) for who, what in zip(people, waiting, strict=True))
    committing = give(company, planned, on_change=OnChange.REFUSE if is_refusing else OnChange.SKIP)
    ended, *claimed = await asyncio.gather(committing, *claims, return_exceptions=True)
    outcomes = Counter(type(each) for each in claimed)
    assert outcomes[UUID] + outcomes[HoldingLimitReached] == 20
    if is_refusing:
        assert isinstance(ended, PlanChanged) or outcomes[UUID] == 2
    given = len(ended.places) if isinstance(ended, Given) else 0
    assert outcomes[UUID] + given == 10
    assert await company.value(OWNED, team) == 10


async def test_p09_without_a_limit_nothing_is_kept_of_departments(company: Company) -> None:
    _, (one,) = await team_of(company, 1)
    await pooled(company, 1)
    await allocated(company, Method.FLEXIBLE, [one], take=1)
    assert await company.value("SELECT roster::text LIKE '%department%' FROM pool_allocation") is False
    assert await company.value("SELECT received_on FROM customer WHERE owner_id IS NOT NULL") == date(2026, 11, 23)
