"""Who owned which customer on which day, and where people worked: many at once, from the dated rows."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from saas.customers import find_owner_on
from saas.kernel import new_id
from saas.people import find_departments, find_departments_on
from tests.staging import Company

DAY = date(2026, 11, 23)


async def owners(company: Company, *asked: tuple[UUID, date]) -> list[UUID | None]:
    found = await company.within(lambda: find_owner_on(asked))
    assert set(found) <= set(asked)
    return [found.get(pair) for pair in asked]


async def test_of_several_owners_of_a_day_the_last_counts(company: Company, other_company: Company) -> None:
    one, two = await company.hire("0002"), await company.hire("0003")
    customer, pooled = await company.enter("甲", keeper=one), await company.enter("乙")
    foreign = await other_company.enter("丙", keeper=await other_company.hire("0002"))
    await company.release(one, customer)
    await company.claim(two, customer)
    at = company.clock.now() - timedelta(days=5)
    await company.run(
        "UPDATE ownership SET started_at = $1, started_on = $2, ended_on = $3 WHERE owner_id = $4",
        at,
        DAY - timedelta(days=5),
        DAY,
        one.employee_id,
    )
    days = [DAY - timedelta(days=each) for each in (6, 5, 1, 0)]
    assert await owners(company, *((customer, day) for day in days)) == [
        None,
        one.employee_id,
        one.employee_id,
        two.employee_id,
    ]
    assert await owners(company, (customer, DAY + timedelta(days=9)), (pooled, DAY), (foreign, DAY)) == [
        two.employee_id,
        None,
        None,
    ]
    assert await owners(company) == []


async def test_people_of_other_companies_work_nowhere(company: Company, other_company: Company) -> None:
    mine, theirs = await company.hire("0002"), await other_company.hire("0002")
    people = [(each, DAY) for each in (mine.employee_id, theirs.employee_id, new_id()) if each]
    assert await company.within(lambda: find_departments_on(people)) == {people[0]: company.founded.department_id}
    wanted = [company.founded.department_id, other_company.founded.department_id, new_id()]
    assert await company.within(lambda: find_departments(wanted)) == {company.founded.department_id}
