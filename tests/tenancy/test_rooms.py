"""Every action of people, customers and sales, given another company's ids: as if they were missing, to the byte."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields, replace
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from saas.access import AccessTable
from saas.customers import claim_customer, get_visible_customer, note_follow_up, release_customer
from saas.kernel import Actor, NotFound, new_id
from saas.people import create_department, create_employee, get_department, get_employee, link_account
from saas.sales import (
    CreditPart,
    NewCollection,
    NewDeal,
    NewOpportunity,
    NewTarget,
    cancel_deal,
    create_follow_up,
    enter_deal,
    enter_opportunity,
    move_opportunity,
    record_collection,
    record_refund,
    set_credits,
    set_target,
)
from tenants import current_transaction
from tests.rooms.selling import Sales
from tests.staging import ALL, REP, ZONE, Company, agreeing, refused

TODAY = date(2026, 11, 23)


@dataclass(frozen=True)
class Foreign:
    """Ids of one company; for the comparison, ids of nobody."""

    department_id: UUID
    employee_id: UUID
    pooled_id: UUID
    owned_id: UUID
    deal_id: UUID
    opportunity_id: UUID


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


def rules_of(company: Company, access: AccessTable) -> dict[str, Any]:
    return {"access": access, "currency": "CNY", "time_zone": ZONE, "clock": company.clock}


async def deal_of_their_customer(company: Company, actor: Actor, foreign: Foreign, access: AccessTable) -> object:
    new = NewDeal(foreign.owned_id, "D-9", TODAY, Decimal(1))
    return await enter_deal(actor, new, **rules_of(company, access))


async def deal_of_their_opportunity(company: Company, actor: Actor, foreign: Foreign, access: AccessTable) -> object:
    own = await current_transaction().fetchval("SELECT id FROM customer WHERE owner_id = $1", actor.employee_id)
    new = NewDeal(own or foreign.owned_id, "D-9", TODAY, Decimal(1), opportunity_id=foreign.opportunity_id)
    return await enter_deal(actor, new, **rules_of(company, access))


async def deal_of_their_person(company: Company, actor: Actor, foreign: Foreign, access: AccessTable) -> object:
    own = await current_transaction().fetchval("SELECT id FROM customer WHERE owner_id = $1", actor.employee_id)
    new = NewDeal(own or foreign.owned_id, "D-9", TODAY, Decimal(1), owner_id=foreign.employee_id)
    return await enter_deal(actor, new, **rules_of(company, ALL))


async def credit(company: Company, actor: Actor, foreign: Foreign, access: AccessTable) -> object:
    assert actor.employee_id is not None
    return await set_credits(
        actor,
        deal_id=foreign.deal_id,
        parts=[CreditPart(actor.employee_id, Decimal(1))],
        expected_version=1,
        access=access,
        clock=company.clock,
    )


async def cancel(company: Company, actor: Actor, foreign: Foreign, access: AccessTable) -> object:
    rules = rules_of(company, access)
    return await cancel_deal(actor, deal_id=foreign.deal_id, reason="x", expected_version=1, **rules)


async def collect(company: Company, actor: Actor, foreign: Foreign, access: AccessTable) -> object:
    new = NewCollection(foreign.deal_id, "collection", TODAY, Decimal(1))
    return await record_collection(actor, new, **rules_of(company, access))


async def refund(company: Company, actor: Actor, foreign: Foreign, access: AccessTable) -> object:
    new = NewCollection(foreign.deal_id, "refund", TODAY, Decimal(1))
    return await record_refund(actor, new, **rules_of(company, access))


async def opportunity(company: Company, actor: Actor, foreign: Foreign, access: AccessTable) -> object:
    new = NewOpportunity("engaging", customer_id=foreign.owned_id)
    return await enter_opportunity(actor, new, **rules_of(company, access))


async def opportunity_of_their_person(company: Company, actor: Actor, foreign: Foreign, access: AccessTable) -> object:
    new = NewOpportunity("engaging", owner_id=foreign.employee_id)
    return await enter_opportunity(actor, new, **rules_of(company, ALL))


async def move(company: Company, actor: Actor, foreign: Foreign, access: AccessTable) -> object:
    return await move_opportunity(
        actor,
        opportunity_id=foreign.opportunity_id,
        stage="won",
        closed_on=None,
        expected_version=1,
        access=access,
        time_zone=ZONE,
        clock=company.clock,
    )


async def target_of_their_person(company: Company, actor: Actor, foreign: Foreign, access: AccessTable) -> object:
    new = NewTarget(foreign.employee_id, None, "signed", TODAY, TODAY.replace(month=12), Decimal(1))
    return await target(company, actor, new)


async def target_of_their_department(company: Company, actor: Actor, foreign: Foreign, access: AccessTable) -> object:
    new = NewTarget(None, foreign.department_id, "signed", TODAY, TODAY.replace(month=12), Decimal(1))
    return await target(company, actor, new)


async def target(company: Company, actor: Actor, new: NewTarget) -> object:
    return await set_target(actor, new, expected_version=None, currency="CNY", time_zone=ZONE, clock=company.clock)


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
    deal_of_their_customer,
    deal_of_their_opportunity,
    deal_of_their_person,
    credit,
    cancel,
    collect,
    refund,
    opportunity,
    opportunity_of_their_person,
    move,
    target_of_their_person,
    target_of_their_department,
)


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.__name__)
@pytest.mark.parametrize("access", [REP, ALL], ids=lambda access: access.fingerprint)
async def test_ids_of_another_company_are_missing_ids(
    company: Company, other_company: Company, attempt: Attempt, access: AccessTable
) -> None:
    actor, foreign = await company.hire("0002"), await foreign_ids(other_company)
    await company.enter("自有客户", keeper=actor)
    before, theirs = await company.everything(), await other_company.everything()
    nobodys = Foreign(*(new_id() for _ in fields(Foreign)))
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
    """Ids of a company with a pooled and an owned customer, a deal and an opportunity."""
    rep = await company.hire("0077")
    assert rep.employee_id is not None
    sales, owned_id = Sales(company, company.founder), await company.enter("私海客户", keeper=rep)
    return Foreign(
        department_id=company.founded.department_id,
        employee_id=rep.employee_id,
        pooled_id=await company.enter("公海客户"),
        owned_id=owned_id,
        deal_id=await sales.deal(owned_id),
        opportunity_id=await sales.opportunity(customer_id=owned_id),
    )
