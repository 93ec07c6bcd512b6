"""Lists of customers keep the limits of departments, each and together, as claims do (P09, L17)."""

from __future__ import annotations

import asyncio
from collections import Counter
from uuid import UUID

import pytest

from saas.customers import DepartmentLimit
from saas.customers.errors import HoldingLimitReached
from saas.people import create_department
from tests.rooms.imports.toy import counts
from tests.rooms.sheets.conftest import Sheets
from tests.staging import Company, refused

HEADER = ["客户编号", "客户名称", "行业", "手机", "负责人"]


async def team_of(company: Company, name: str = "华东") -> UUID:
    """A department below the company's own."""
    made = await company.within(
        lambda: create_department(
            company.founder, name=name, parent_id=company.founded.department_id, clock=company.clock
        )
    )
    return made.id


def listed(*owners: str, first: int = 0) -> list[list[str | None]]:
    """A sheet's rows: a customer for each owner."""
    return [[f"C{n}", f"客户{n}有限公司", None, None, owner] for n, owner in enumerate(owners, start=first)]


async def owned(company: Company) -> object:
    return await company.value("SELECT count(*) FROM customer WHERE owner_id IS NOT NULL")


@pytest.mark.usefixtures("chunks_of_a_hundred")
async def test_p09_a_list_keeps_what_a_department_may_hold_together_over_all_its_chunks(
    sheets: Sheets, company: Company
) -> None:
    team = await team_of(company)
    one, _ = await company.hire("E1", department_id=team), await company.hire("E2", department_id=team)
    await company.hire("E9", name="韩冰")
    await company.configure(holding_limits_of_departments=(DepartmentLimit(team, together=102),))
    await company.enter("早有的", keeper=one)
    batch = await sheets.preview_book(客户=[HEADER, *listed(*(["E1", "E2"] * 51), "E1", "E9")])
    assert counts(batch) == {"row": 104, "new": 102, "failed": 2, "done": 104}
    assert await sheets.told(batch) == [(row, "负责人", "customers.department_limit_reached") for row in (103, 104)]
    args = "SELECT args FROM import_remark WHERE batch_id = $1 ORDER BY row_number LIMIT 1"
    (told,) = (await company.rows(args, batch["id"]))[0]
    for fact in ('"limit": 102', '"holding": 102', '"department": "华东"', '"pool": "公海"'):
        assert fact in str(told)
    ended = await sheets.commit(batch)
    assert (ended["state"], ended["applied_count"]) == ("committed", 102)
    assert await owned(company) == 103


async def test_p09_a_list_keeps_the_limit_of_each_of_a_department_s_people(sheets: Sheets, company: Company) -> None:
    team = await team_of(company)
    await company.hire("E1", department_id=team)
    await company.hire("E9", name="韩冰")
    await company.configure(holding_limit=3, holding_limits_of_departments=(DepartmentLimit(team, each=1),))
    batch = await sheets.preview_book(客户=[HEADER, *listed("E1", "E1", "E9", "E9")])
    assert counts(batch) == {"row": 4, "new": 3, "failed": 1, "done": 4}
    assert await sheets.told(batch) == [(3, "负责人", "customers.owner_holds_all")]


@pytest.mark.usefixtures("chunks_of_a_hundred")
async def test_p09_people_of_the_same_workbook_count_in_the_department_that_it_names(
    sheets: Sheets, company: Company
) -> None:
    team = await team_of(company)
    await company.configure(holding_limits_of_departments=(DepartmentLimit(team, together=101),))
    staff: list[list[str | None]] = [
        ["工号", "姓名", "部门"],
        ["E1", "李雷", "华东/一组"],
        ["E2", "韩冰", "华东"],
        ["E3", "孟飞", None],
    ]
    batch = await sheets.preview_book(员工=staff, 客户=[HEADER, *listed(*(["E1", "韩冰"] * 51), "E3")])
    assert counts(batch) == {"row": 106, "new": 105, "failed": 1, "done": 106}
    assert await sheets.told(batch) == [(103, "负责人", "customers.department_limit_reached")]
    ended = await sheets.commit(batch)
    assert (ended["state"], ended["applied_count"]) == ("committed", 105)
    assert await owned(company) == 102


async def test_p09_a_department_filled_since_the_preview_stops_the_commit(sheets: Sheets, company: Company) -> None:
    team = await team_of(company)
    rep = await company.hire("E1", department_id=team)
    await company.configure(holding_limits_of_departments=(DepartmentLimit(team, together=2),))
    batch = await sheets.preview_book(客户=[HEADER, *listed("E1", "E1")])
    await company.claim(rep, await company.enter("公海客户"))
    before = await company.everything()
    refusal = await refused(sheets.commit(batch))
    assert (refusal.key, refusal.values) == ("exchange.plan_changed", {"rows": 1, "row": 3})
    assert await company.everything() == before


async def test_p09_a_list_and_twenty_claims_at_once_keep_the_limit_together(sheets: Sheets, company: Company) -> None:
    people = [await company.hire(f"E{number}") for number in range(20)]
    root = company.founded.department_id
    await company.configure(holding_limits_of_departments=(DepartmentLimit(root, together=10),))
    pooled = [await company.enter(f"公海{number}") for number in range(20)]
    batch = await sheets.preview_book(客户=[HEADER, *listed(*(f"E{number}" for number in range(8)))])
    claims = (company.claim(who, what) for who, what in zip(people, pooled, strict=True))
    ended, *claimed = await asyncio.gather(sheets.commit(batch), *claims, return_exceptions=True)
    outcomes = Counter(type(each) for each in claimed)
    is_listed = isinstance(ended, dict) and ended["state"] == "committed"
    went = 2 if is_listed else 10
    assert outcomes == {UUID: went, HoldingLimitReached: 20 - went}
    assert await owned(company) == 10
