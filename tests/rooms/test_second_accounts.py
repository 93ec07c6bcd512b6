"""Two records of the staff with one mobile number are one person, where customers are claimed (L08)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from saas.access import AccessTable
from saas.customers import Method, assign_customer
from saas.customers.errors import CooldownRunning
from saas.kernel import Actor
from saas.people import alike_warning, list_people_alike
from tests.rooms.allocation_stage import employee, picks, plan
from tests.staging import ALL, ZONE, Company, refused

MOBILE = "13900000001"
READS_STAFF = AccessTable("hr", scopes={"Employee": frozenset({"all"})})


async def numbered(company: Company, number: str, phone: str | None) -> Actor:
    """Somebody with a telephone number, entered as a list enters them."""
    actor = await company.hire(number, name=f"员工{number}")
    if phone is not None:
        index = company.keyring.blind_index("employee.phone", phone)
        masked = f"{phone[:3]}****{phone[-4:]}"
        await company.run(
            "UPDATE employee SET phone_index = $2, phone_masked = $3, phone_sealed = $4 WHERE id = $1",
            actor.employee_id,
            index,
            masked,
            b"sealed",
        )
    return actor


async def released_by(company: Company, owner: Actor) -> UUID:
    customer = await company.enter("回流客户")
    await company.claim(owner, customer)
    await company.release(owner, customer)
    return customer


async def test_l08_a_second_account_waits_as_the_former_owner_does(company: Company) -> None:
    first, second = await numbered(company, "E1", MOBILE), await numbered(company, "E2", MOBILE)
    other = await numbered(company, "E3", "13900000002")
    customer = await released_by(company, first)
    before = await company.everything()
    refusal = await refused(company.claim(second, customer))
    assert isinstance(refusal, CooldownRunning)
    assert refusal.values == {"pool": "公海", "days": 7, "free_from": "2026-12-01"}
    assert await company.everything() == before
    planned = await plan(company, Method.FLEXIBLE, [second], take=1)
    assert [row[1] for row in await picks(company, planned)] == [None]
    both = await plan(company, Method.FLEXIBLE, [second, other], take=1)
    assert [row[1] for row in await picks(company, both)] == [employee(other)]
    company.clock.advance(timedelta(days=8))
    await company.claim(second, customer)


async def test_l08_an_assignment_to_a_second_account_waits_where_assignments_do(company: Company) -> None:
    first, second = await numbered(company, "E1", MOBILE), await numbered(company, "E2", MOBILE)
    await company.configure(assign_ignores_cooldown=False, cooldown_hours=5)
    customer = await released_by(company, first)
    refusal = await refused(
        company.within(
            lambda: assign_customer(
                company.founder,
                customer_id=customer,
                employee_id=employee(second),
                reason="补位",
                access=ALL,
                time_zone=ZONE,
                clock=company.clock,
            )
        )
    )
    assert isinstance(refusal, CooldownRunning)


@pytest.mark.parametrize(("mine", "theirs"), [(MOBILE, "13900000002"), ("01012345678", "01012345678"), (None, None)])
async def test_l08_another_number_and_a_shared_landline_link_nobody(
    company: Company, mine: str | None, theirs: str | None
) -> None:
    first, second = await numbered(company, "E1", mine), await numbered(company, "E2", theirs)
    customer = await released_by(company, first)
    assert await company.claim(second, customer) == customer


async def test_l08_the_second_record_is_told_of_when_it_is_entered_and_in_the_report(company: Company) -> None:
    first, second = await numbered(company, "E1", MOBILE), await numbered(company, "E2", MOBILE)
    await numbered(company, "E3", "13900000002")
    warning = await company.within(lambda: alike_warning(employee(second)))
    assert warning is not None
    assert (warning.key, warning.values) == ("people.phone_of_another", {"phone": "139****0001"})
    groups = await company.within(lambda: list_people_alike(company.founder, READS_STAFF))
    assert [[each.employee_id for each in group] for group in groups] == [[employee(first), employee(second)]]
    own = AccessTable("own", scopes={"Employee": frozenset({"self"})})
    assert await company.within(lambda: list_people_alike(second, own)) == []
