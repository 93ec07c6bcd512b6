"""Every action of incentives, given another company's ids: as if they were missing, to the byte."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields, replace
from datetime import date
from uuid import UUID

import asyncpg
import pytest

from saas.access import AccessTable, FieldAccess, FieldRight
from saas.incentives import (
    Member,
    PoolCalculation,
    PoolTerms,
    SavedDraft,
    end_participation,
    explain_accrual,
    settled_commission,
)
from saas.incentives.errors import PayrollRefused
from saas.kernel import AppErrors, NotFound, Period, new_id
from tests.rooms.paying import MARCH, Paying, Stored, a_plan, collected, d, person
from tests.rooms.selling import Sales
from tests.staging import Company, refused

EVERYTHING = AccessTable(
    "everything",
    fields={"Accrual.amount": FieldRight(FieldAccess.ALLOW)},
    scopes={"Accrual": frozenset({"all"}), "Deal": frozenset({"all"})},
)
DAY = date(2026, 3, 1)
TERMS = PoolTerms(d("0.1"), d(0))


@dataclass(frozen=True)
class Foreign:
    """Ids of one company; for the comparison, ids of nobody."""

    plan_id: UUID
    draft_plan_id: UUID
    participant_id: UUID
    employee_id: UUID
    department_id: UUID
    deal_id: UUID
    settlement_id: UUID
    pool_run_id: UUID
    accrual_id: UUID
    statement_id: UUID


Attempt = Callable[[Paying, Foreign], Awaitable[object]]
HASH = "0" * 64


def calculation(settlement_id: UUID) -> Stored:
    """A result that names a settlement."""
    return Stored(settlement_id, "calculated", HASH, 0, 0, 0, None, None)


def own_plan(paying: Paying) -> Awaitable[UUID]:
    return paying.in_force(a_plan())


async def save(paying: Paying, foreign: Foreign) -> object:
    return await paying.save(a_plan(), plan_id=foreign.plan_id)


async def publish(paying: Paying, foreign: Foreign) -> object:
    return await paying.publish(SavedDraft(foreign.draft_plan_id, new_id(), 1, HASH))


async def join(paying: Paying, foreign: Foreign) -> object:
    return await paying.join(foreign.plan_id, employee_id=paying.author.employee_id, first=DAY)


async def join_person(paying: Paying, foreign: Foreign) -> object:
    return await paying.join(await own_plan(paying), employee_id=foreign.employee_id, first=DAY)


async def join_department(paying: Paying, foreign: Foreign) -> object:
    return await paying.join(await own_plan(paying), department_id=foreign.department_id, first=DAY)


async def end(paying: Paying, foreign: Foreign) -> object:
    return await paying.company.within(
        lambda: end_participation(
            paying.author, participant_id=foreign.participant_id, until=date(2027, 1, 1), clock=paying.company.clock
        )
    )


async def stage(paying: Paying, foreign: Foreign) -> object:
    return await paying.stage(foreign.deal_id, "定金", DAY)


async def calculate(paying: Paying, foreign: Foreign) -> object:
    return await paying.calculation(foreign.plan_id, MARCH)


async def store(paying: Paying, foreign: Foreign) -> object:
    return await paying.begin(foreign.plan_id, MARCH, HASH)


async def submit(paying: Paying, foreign: Foreign) -> object:
    return await paying.submit(calculation(foreign.settlement_id))


async def approve(paying: Paying, foreign: Foreign) -> object:
    return await paying.approve(calculation(foreign.settlement_id))


async def lock(paying: Paying, foreign: Foreign) -> object:
    return await paying.lock(calculation(foreign.settlement_id))


async def discard(paying: Paying, foreign: Foreign) -> object:
    return await paying.discard(calculation(foreign.settlement_id))


async def pool(paying: Paying, foreign: Foreign) -> object:
    return await paying.pool(foreign.plan_id, TERMS, [Member(person(paying.author.employee_id), d(1))])


async def approve_pool(paying: Paying, foreign: Foreign) -> object:
    seen = await paying.pool(await own_plan(paying), TERMS, [Member(person(paying.author.employee_id), d(1))])
    named: PoolCalculation = replace(seen, run_id=foreign.pool_run_id)
    return await paying.approve_pool(named)


async def trial(paying: Paying, foreign: Foreign) -> object:
    return await paying.trial(a_plan(), foreign.deal_id)


async def explain(paying: Paying, foreign: Foreign) -> object:
    return await paying.company.within(
        lambda: explain_accrual(paying.author, EVERYTHING, accrual_id=foreign.accrual_id)
    )


ATTEMPTS: tuple[Attempt, ...] = (
    save,
    publish,
    join,
    join_person,
    join_department,
    end,
    stage,
    calculate,
    store,
    submit,
    approve,
    lock,
    discard,
    pool,
    approve_pool,
    trial,
    explain,
)


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.__name__)
async def test_ids_of_another_company_are_missing_ids(
    company: Company, other_company: Company, attempt: Attempt
) -> None:
    foreign = await foreign_ids(other_company)
    theirs = await other_company.everything()
    nobodys = Foreign(*(new_id() for _ in fields(Foreign)))
    paying = Paying.of(company)
    of_theirs = await refused(attempt(paying, foreign))
    await company.run("DELETE FROM incentive_plan_version")
    await company.run("DELETE FROM incentive_plan")
    of_nobody = await refused(attempt(paying, nobodys))
    assert isinstance(of_theirs, NotFound)
    assert str(of_theirs).encode() == str(of_nobody).encode()
    assert of_theirs.field == of_nobody.field
    assert await other_company.everything() == theirs


async def test_another_companys_person_is_in_no_rule_and_no_pool(company: Company, other_company: Company) -> None:
    foreign, paying = await foreign_ids(other_company), Paying.of(company)
    plan_id = await paying.in_force(a_plan())
    members = [Member(person(paying.author.employee_id), d(1)), Member(person(foreign.employee_id), d(1))]
    before = await company.everything()
    with pytest.raises(AppErrors) as found:
        await paying.pool(plan_id, TERMS, members)
    assert [error.key for error in found.value.errors] == ["incentives.pool_member_unknown"]
    assert await company.everything() == before


async def test_another_companys_statements_are_not_paid(company: Company, other_company: Company) -> None:
    foreign, paying = await foreign_ids(other_company), Paying.of(company)
    theirs = await other_company.everything()
    employment = await other_company.value("SELECT id FROM employment WHERE employee_id = $1", foreign.employee_id)
    assert isinstance(employment, UUID)
    owed = await company.within(
        lambda: settled_commission(
            [employment], period=Period(DAY, date(2027, 1, 1)), run_id=new_id(), keyring=company.keyring
        )
    )
    assert owed == []
    refusals = [await refused(paying.pay(new_id(), each)) for each in (foreign.statement_id, new_id())]
    assert {type(refusal) for refusal in refusals} == {PayrollRefused}
    assert str(refusals[0]) == str(refusals[1])
    assert await other_company.everything() == theirs


async def test_rows_of_two_companies_can_not_refer_to_each_other(company: Company, other_company: Company) -> None:
    foreign = await foreign_ids(other_company)
    plan_id = await Paying.of(company).in_force(a_plan())
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await company.run(
            "INSERT INTO incentive_participant (tenant_id, id, plan_id, employee_id, valid_from, known_at)"
            " VALUES ($1, $2, $3, $4, '2026-01-01', now())",
            company.tenant_id,
            new_id(),
            plan_id,
            foreign.employee_id,
        )


async def foreign_ids(company: Company) -> Foreign:
    """Ids of a company with a locked settlement, an approved pool and a draft."""
    paying, sales, rep = Paying.of(company), Sales(company, company.founder), await company.hire("0077")
    assert rep.employee_id is not None
    plan_id = await paying.in_force(a_plan())
    deal_id = await collected(company, sales, rep)
    participant_id = await paying.join(plan_id, employee_id=rep.employee_id, first=date(2026, 1, 1))
    done = await paying.settled(plan_id, MARCH)
    members = [Member(person(rep.employee_id), d(1))]
    seen = await paying.pool(plan_id, TERMS, members)
    stored = await paying.pool(plan_id, TERMS, members, seen.plan_hash)
    draft = await paying.save(replace(a_plan(), code="draft"))
    assert stored.run_id is not None
    accrual_id = await company.value("SELECT id FROM accrual")
    statement_id = await company.value("SELECT id FROM settlement_line")
    assert isinstance(accrual_id, UUID)
    assert isinstance(statement_id, UUID)
    return Foreign(
        plan_id,
        draft.plan_id,
        participant_id,
        rep.employee_id,
        company.founded.department_id,
        deal_id,
        done.settlement_id,
        stored.run_id,
        accrual_id,
        statement_id,
    )
