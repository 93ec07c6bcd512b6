"""Totals of a run from amounts that are sealed beside the payslips, and from documents where there are none."""

from __future__ import annotations

from typing import Any

import pytest

from saas.payroll import exclude_from_run
from saas.sealing import SealBroken
from tests.payroll_samples import STRUCTURE
from tests.payroll_stage import Office, office_of
from tests.staging import Company


@pytest.fixture
def office(company: Company) -> Office:
    return office_of(company)


async def computed(office: Office, people: int) -> tuple[Any, list[Any]]:
    """A computed run of people with 10,000 a month each, and whose payslips they are."""
    structure_id = await office.save(STRUCTURE)
    for number in range(people):
        await office.assign(await office.employ(f"1{number:03}", name=f"员工{number}"), structure_id)
    run_id = await office.computed()
    rows = await office.company.rows("SELECT employee_id FROM payslip WHERE run_id = $1 ORDER BY employee_id", run_id)
    return run_id, [row[0] for row in rows]


async def left_out(office: Office, run_id: Any, employee_id: Any) -> None:
    """One person excluded, and the totals made anew."""
    company = office.company
    await company.within(
        lambda: exclude_from_run(
            office.clerk, run_id=run_id, employee_id=employee_id, reason="停薪留职", clock=company.clock
        )
    )
    await office.work()


async def totals(office: Office, run_id: Any) -> list[tuple[object, ...]]:
    return await office.company.rows(
        "SELECT dimension, key, measure, people, amount_minor FROM payroll_total WHERE run_id = $1 ORDER BY 1, 2, 3",
        run_id,
    )


async def test_payslips_from_before_are_added_up_from_their_documents(office: Office) -> None:
    run_id, people = await computed(office, 7)
    kept = await office.company.rows("SELECT count(amounts_sealed), count(*) FROM payslip WHERE run_id = $1", run_id)
    assert kept == [(7, 7)]
    whole = await totals(office, run_id)
    await left_out(office, run_id, people[0])
    six = await totals(office, run_id)
    by_measure = {(dimension, measure): (count, minor) for dimension, _, measure, count, minor in six}
    assert by_measure["legal_entity", "gross"] == (6, 6 * 1_089_000)
    assert by_measure["legal_entity", "net"] == (6, 6 * 1_079_000)
    assert whole != six
    await office.company.run("UPDATE payslip SET amounts_sealed = NULL WHERE employee_id = ANY($1)", people[3:])
    await left_out(office, run_id, people[1])
    five = await totals(office, run_id)
    assert [(*row[:3], row[3], row[4]) for row in five] == [
        (*row[:3], 5, row[4] * 5 // 6 if isinstance(row[4], int) else None) for row in six
    ]


async def test_amounts_of_another_payslip_are_not_added_up(office: Office) -> None:
    run_id, people = await computed(office, 6)
    before = await totals(office, run_id)
    await office.company.run(
        "UPDATE payslip SET amounts_sealed = (SELECT amounts_sealed FROM payslip WHERE employee_id = $2)"
        " WHERE employee_id = $1",
        people[1],
        people[2],
    )
    with pytest.raises(SealBroken):
        await left_out(office, run_id, people[0])
    assert await totals(office, run_id) == before
