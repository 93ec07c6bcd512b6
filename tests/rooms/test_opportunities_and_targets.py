"""Opportunities on their way, and targets that stand beside each other."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
import pytest_asyncio

from saas.access.errors import PermissionMissing
from saas.customers.errors import CustomerNotFound
from saas.kernel import Actor, AppError, new_id
from saas.people.errors import DepartmentNotFound, EmployeeNotFound
from saas.sales import NewOpportunity, NewTarget, Outcome
from saas.sales.errors import (
    AmountRefused,
    OpportunityChanged,
    OpportunityExists,
    OpportunityNotFound,
    StageNotFound,
    TargetChanged,
    TargetNotFound,
    TargetOverlaps,
    ValueOutOfRange,
)
from tests.rooms.selling import TODAY, Sales
from tests.staging import Company, refused

FIRST, UNTIL = date(2026, 10, 1), date(2027, 1, 1)
NOBODY = UUID(int=1)
"""The same in each process: test ids hold it."""


@pytest_asyncio.fixture(loop_scope="session")
async def rep(company: Company) -> Actor:
    return await company.hire("0002")


@pytest_asyncio.fixture(loop_scope="session")
async def sales(company: Company) -> Sales:
    return Sales(company, company.founder)


async def test_an_opportunity_is_kept_and_moved(company: Company, sales: Sales, rep: Actor) -> None:
    mine = sales.acting(rep)
    customer_id = await company.enter("晨光", keeper=rep)
    began = TODAY - timedelta(days=30)
    made = await mine.opportunity(
        "engaging", customer_id=customer_id, product="GTX Pro", engaged_on=began, expected=Decimal("4821.50")
    )
    rows = (
        "SELECT o.customer_id, o.owner_id, s.key, o.product, o.engaged_on, o.closed_on, o.expected_minor, o.version"
        " FROM opportunity o JOIN opportunity_stage s ON s.id = o.stage_id"
    )
    assert await company.rows(rows) == [(customer_id, rep.employee_id, "engaging", "GTX Pro", began, None, 482150, 1)]
    await mine.move(made, "won")
    assert await company.rows(rows) == [(customer_id, rep.employee_id, "won", "GTX Pro", began, TODAY, 482150, 2)]
    assert await company.value("SELECT count(*) FROM deal") == 0
    await mine.move(made, "engaging", version=2)
    assert await company.rows(rows) == [(customer_id, rep.employee_id, "engaging", "GTX Pro", began, None, 482150, 3)]
    moves = await company.rows("SELECT changes::text FROM audit_entry WHERE action = 'opportunity.moved' ORDER BY 1")
    assert moves == [('{"stage": ["engaging", "won"]}',), ('{"stage": ["won", "engaging"]}',)]
    assert await company.rows(
        "SELECT payload ->> 'stage' FROM outbox WHERE topic = 'sales.opportunity_moved' ORDER BY 1"
    ) == [
        ("engaging",),
        ("won",),
    ]


async def test_only_a_stage_further_on_than_any_before_is_progress(company: Company, sales: Sales, rep: Actor) -> None:
    """L12: to and fro gains nothing, and what is entered late advanced when it began."""
    began = TODAY - timedelta(days=30)
    made = await sales.opportunity("prospecting", engaged_on=began)
    advance = "SELECT reached, advanced_on FROM opportunity WHERE id = $1"
    assert await company.rows(advance, made) == [(1, began)]
    days = []
    for version, stage in enumerate(("engaging", "prospecting", "engaging", "lost", "engaging"), 1):
        company.clock.advance(timedelta(days=1))
        await sales.move(made, stage, version=version)
        days += await company.rows(advance, made)
    first, closed = TODAY + timedelta(days=1), TODAY + timedelta(days=4)
    assert days == [(2, first), (2, first), (2, first), (4, closed), (4, closed)]


async def test_a_sheet_moves_an_opportunity_as_a_person_does(company: Company, sales: Sales) -> None:
    row = NewOpportunity("prospecting", external_system="crm", external_key="1C1I7A6R")
    await sales.opportunities([row])
    company.clock.advance(timedelta(days=9))
    await sales.opportunities([replace(row, product="GTX Pro")])
    assert await company.rows("SELECT reached, advanced_on FROM opportunity") == [(1, TODAY)]
    await sales.opportunities([replace(row, stage="engaging")])
    assert await company.rows("SELECT reached, advanced_on FROM opportunity") == [(2, TODAY + timedelta(days=9))]


async def test_an_unknown_customer_is_left_unknown(company: Company, sales: Sales) -> None:
    (entered,) = await sales.opportunities([NewOpportunity("prospecting")])
    assert entered.outcome is Outcome.NEW
    assert await company.rows("SELECT customer_id, engaged_on, expected_minor FROM opportunity") == [(None, None, None)]


async def test_opportunities_that_can_not_be_change_nothing(company: Company, sales: Sales, rep: Actor) -> None:
    other = await company.hire("0003")
    foreign = await company.enter("乙", keeper=other)
    mine = sales.acting(rep)
    made = await mine.opportunity()
    before = await company.everything()
    for stage, values, error in (
        ("dream", {}, StageNotFound),
        ("engaging", {"customer_id": foreign}, CustomerNotFound),
        ("engaging", {"customer_id": new_id()}, CustomerNotFound),
        ("engaging", {"closed_on": TODAY}, ValueOutOfRange),
        ("won", {}, ValueOutOfRange),
        ("engaging", {"owner_id": other.employee_id}, PermissionMissing),
        ("engaging", {"expected": Decimal(-1)}, AmountRefused),
    ):
        assert isinstance(await refused(mine.opportunity(stage, **values)), error)
    assert isinstance(await refused(sales.opportunity(owner_id=new_id())), EmployeeNotFound)
    outsider = sales.acting(replace(rep, employee_id=None))
    assert (await refused(outsider.opportunity())).key == "sales.owner_needed"
    assert isinstance(await refused(mine.move(made, "dream")), StageNotFound)
    assert isinstance(await refused(mine.move(new_id(), "won")), OpportunityNotFound)
    assert isinstance(await refused(sales.acting(other).move(made, "won")), OpportunityNotFound)
    stale = await refused(mine.move(made, "won", version=7))
    assert isinstance(stale, OpportunityChanged)
    assert stale.values == {"expected": 7, "actual": 1}
    assert isinstance(await refused(mine.move(made, "won", on=TODAY + timedelta(days=1))), ValueOutOfRange)
    assert await company.everything() == before


async def test_a_second_sheet_of_opportunities_changes_what_differs(company: Company, sales: Sales) -> None:
    row = NewOpportunity("engaging", product="GTX Pro", external_system="crm", external_key="1C1I7A6R")
    (first,) = await sales.opportunities([row])
    before = await company.everything()
    (again,) = await sales.opportunities([row])
    assert (again.outcome, again.id) == (Outcome.UNCHANGED, first.id)
    refusal = await refused(
        sales.opportunity("prospecting", external_system="crm", external_key="1C1I7A6R", product="GTX Pro")
    )
    assert isinstance(refusal, OpportunityExists)
    assert await company.everything() == before
    won = replace(row, stage="won", closed_on=TODAY, expected=Decimal(1054))
    (changed, twice) = await sales.opportunities([won, row])
    assert (changed.outcome, changed.id, twice.outcome) == (Outcome.CHANGED, first.id, Outcome.REFUSED)
    assert await company.rows("SELECT closed_on, expected_minor, version FROM opportunity") == [(TODAY, 105400, 2)]


def quarter(actor: Actor, amount: str = "100000", **more: object) -> NewTarget:
    new = NewTarget(actor.employee_id, None, "signed", FIRST, UNTIL, Decimal(amount))
    return replace(new, **more)  # type: ignore[arg-type]


async def test_a_target_is_set_and_changed(company: Company, sales: Sales, rep: Actor) -> None:
    made = await sales.target(quarter(rep))
    assert await sales.target(quarter(rep)) == made
    assert await sales.target(quarter(rep, "120000.50"), version=1) == made
    assert await company.rows(
        "SELECT employee_id, department_id, metric, period_first, period_until, amount_minor, version FROM target"
    ) == [(rep.employee_id, None, "signed", FIRST, UNTIL, 12000050, 2)]
    assert await company.rows("SELECT changes::text FROM audit_entry WHERE action = 'target.set' ORDER BY at, id") == [
        ('{"amount": [null, "100000.00"]}',),
        ('{"amount": ["100000.00", "120000.50"]}',),
    ]
    assert await company.value("SELECT count(*) FROM outbox WHERE topic = 'sales.target_set'") == 2


async def test_targets_stand_beside_each_other(company: Company, sales: Sales, rep: Actor) -> None:
    department = company.founded.department_id
    rows = [
        quarter(rep),
        quarter(rep, metric="collected"),
        quarter(rep, first=UNTIL, until=date(2027, 4, 1)),
        quarter(company.founder),
        NewTarget(None, department, "signed", FIRST, UNTIL, Decimal(500000)),
    ]
    assert {entered.outcome for entered in await sales.targets(rows)} == {Outcome.NEW}
    before = await company.everything()
    assert {entered.outcome for entered in await sales.targets(rows)} == {Outcome.UNCHANGED}
    for overlapping in (
        quarter(rep, first=date(2026, 12, 31), until=date(2027, 1, 2)),
        quarter(rep, until=date(2026, 11, 1)),
        quarter(rep, first=date(2026, 1, 1), until=date(2028, 1, 1)),
    ):
        (entered,) = await sales.targets([overlapping])
        assert isinstance(entered.refusal, TargetOverlaps)
        assert entered.refusal.values["first"] in ("2026-10-01", "2027-01-01")
    assert await company.everything() == before


async def test_two_rows_of_one_sheet_do_not_overlap_either(company: Company, sales: Sales, rep: Actor) -> None:
    entered = await sales.targets([quarter(rep), quarter(rep, "5"), quarter(rep, first=date(2026, 12, 1))])
    assert [each.outcome for each in entered] == [Outcome.NEW, Outcome.REFUSED, Outcome.REFUSED]
    assert await company.value("SELECT count(*) FROM target") == 1


@pytest.mark.parametrize(
    ("change", "version", "error"),
    [
        ({"amount": Decimal(0)}, 1, AmountRefused),
        ({"amount": Decimal(5)}, None, TargetOverlaps),
        ({"amount": Decimal(5)}, 2, TargetChanged),
        ({"first": UNTIL, "until": date(2027, 4, 1)}, 1, TargetNotFound),
        ({"until": FIRST}, 1, ValueOutOfRange),
        ({"employee_id": None}, 1, ValueOutOfRange),
        ({"employee_id": NOBODY}, None, EmployeeNotFound),
        ({"employee_id": None, "department_id": NOBODY}, None, DepartmentNotFound),
    ],
    ids=str,
)
async def test_targets_that_can_not_be_change_nothing(
    company: Company,
    sales: Sales,
    rep: Actor,
    change: dict[str, object],
    version: int | None,
    error: type[AppError],
) -> None:
    await sales.target(quarter(rep))
    before = await company.everything()
    assert isinstance(await refused(sales.target(quarter(rep, **change), version=version)), error)  # type: ignore[arg-type]
    assert await company.everything() == before
