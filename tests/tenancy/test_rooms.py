"""Every action of people, customers and sales, given another company's ids: as if they were missing, to the byte."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

import asyncpg
import pytest

from saas.access import AccessTable
from saas.customers import claim_customer, get_visible_customer, note_follow_up, release_customer
from saas.kernel import Actor, NotFound, new_id
from saas.people import create_department, create_employee, get_department, get_employee, link_account
from saas.sales import create_follow_up
from tests.staging import ALL, REP, ZONE, Company, agreeing, refused


@dataclass(frozen=True)
class Foreign:
    """Ids of one company; for the comparison, ids of nobody."""

    department_id: UUID
    employee_id: UUID
    pooled_id: UUID
    owned_id: UUID


Attempt = Callable[[Company, Actor, Foreign, AccessTable], Awaitable[object]]


async def hire_into(company: Company, actor: Actor, foreign: Foreign, access: AccessTable) -> object:
    return await create_employee(
        actor,
        name="间谍",
        number="0099",
        department_id=foreign.department_id,
        position=None,
        hired_on=None,
        phone=None,
        keyring=company.keyring,
        time_zone=ZONE,
        clock=company.clock,
    )


async def department_below(company: Company, actor: Actor, foreign: Foreign, access: AccessTable) -> object:
    return await create_department(actor, name="分部", parent_id=foreign.department_id, clock=company.clock)


async def read_department(company: Company, actor: Actor, foreign: Foreign, access: AccessTable) -> object:
    return await get_department(foreign.department_id)


async def read_employee(company: Company, actor: Actor, foreign: Foreign, access: AccessTable) -> object:
    return await get_employee(foreign.employee_id)


async def link(company: Company, actor: Actor, foreign: Foreign, access: AccessTable) -> object:
    await link_account(foreign.employee_id, actor.account_id)
    return None


async def claim(company: Company, actor: Actor, foreign: Foreign, access: AccessTable) -> object:
    return await claim_customer(
        actor, customer_id=foreign.pooled_id, access=access, guard=agreeing, time_zone=ZONE, clock=company.clock
    )


async def claim_owned(company: Company, actor: Actor, foreign: Foreign, access: AccessTable) -> object:
    return await claim(company, actor, replace(foreign, pooled_id=foreign.owned_id), access)


async def release(company: Company, actor: Actor, foreign: Foreign, access: AccessTable) -> object:
    return await release_customer(
        actor, customer_id=foreign.owned_id, reason="x", access=access, time_zone=ZONE, clock=company.clock
    )


async def look(company: Company, actor: Actor, foreign: Foreign, access: AccessTable) -> object:
    return await get_visible_customer(actor, access, customer_id=foreign.owned_id)


async def follow_up(company: Company, actor: Actor, foreign: Foreign, access: AccessTable) -> object:
    return await create_follow_up(
        actor,
        customer_id=foreign.owned_id,
        kind="note",
        content="x",
        occurred_at=None,
        access=access,
        time_zone=ZONE,
        clock=company.clock,
    )


ATTEMPTS: tuple[Attempt, ...] = (
    hire_into,
    department_below,
    read_department,
    read_employee,
    link,
    claim,
    claim_owned,
    release,
    look,
    follow_up,
)


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.__name__)
@pytest.mark.parametrize("access", [REP, ALL], ids=lambda access: access.fingerprint)
async def test_ids_of_another_company_are_missing_ids(
    company: Company, other_company: Company, attempt: Attempt, access: AccessTable
) -> None:
    actor, foreign = await company.hire("0002"), await foreign_ids(other_company)
    before, theirs = await company.everything(), await other_company.everything()
    nobodys = Foreign(new_id(), new_id(), new_id(), new_id())
    of_theirs, of_nobody = [
        await refused(company.within(partial(attempt, company, actor, ids, access))) for ids in (foreign, nobodys)
    ]
    assert isinstance(of_theirs, NotFound)
    assert str(of_theirs).encode() == str(of_nobody).encode()
    assert of_theirs.field == of_nobody.field
    assert await company.everything() == before
    assert await other_company.everything() == theirs


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.__name__)
async def test_an_actor_of_another_company_reaches_nothing(
    company: Company, other_company: Company, attempt: Attempt
) -> None:
    """A door that mixed up actor and transaction would still be stopped: the database knows the tenant."""
    foreign, stranger = await foreign_ids(company), await other_company.hire("0002")
    before = await company.everything()
    with pytest.raises((NotFound, asyncpg.PostgresError)):
        await other_company.within(lambda: attempt(other_company, stranger, foreign, ALL))
    assert await company.everything() == before


async def test_a_follow_up_is_not_noted_at_another_companys_customer(company: Company, other_company: Company) -> None:
    foreign = await foreign_ids(other_company)
    theirs = await other_company.everything()
    noted = await company.within(
        lambda: note_follow_up(foreign.owned_id, owner_id=foreign.employee_id, occurred_at=company.clock.now())
    )
    assert noted is False
    assert await other_company.everything() == theirs


async def test_duplicates_are_looked_for_in_ones_own_company(company: Company, other_company: Company) -> None:
    await other_company.enter("晨光", phone="13800138000")
    await company.enter("晨光", phone="13800138000")
    indexes = [await each.value("SELECT phone_index FROM customer") for each in (company, other_company)]
    assert indexes[0] != indexes[1]


async def foreign_ids(company: Company) -> Foreign:
    """Ids of a company with a pooled and an owned customer."""
    rep = await company.hire("0077")
    assert rep.employee_id is not None
    return Foreign(
        department_id=company.founded.department_id,
        employee_id=rep.employee_id,
        pooled_id=await company.enter("公海客户"),
        owned_id=await company.enter("私海客户", keeper=rep),
    )
