"""Lists of staff: what they make, change and take back, and what they may not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from saas.access import PERMISSIONS
from tests.rooms.imports.toy import counts
from tests.rooms.sheets.conftest import SEES_ALL, Sheets
from tests.staging import Company

Rows = Sequence[Sequence[object]]
HEADER = ["工号", "姓名", "部门", "直属上级", "岗位", "入职日期", "离职日期"]


async def test_a_change_of_department_begins_today_and_is_taken_back(sheets: Sheets, company: Company) -> None:
    first: Rows = [HEADER, ["E1", "李雷", "一组", None, "销售", "2025-01-06", None]]
    await sheets.bring(员工=first)
    batch = await sheets.bring(员工=[HEADER, ["E1", "李雷", "二组", None, None, None, None]])
    assert await sheets.differences(batch) == [(2, "department", "一组", "二组")]
    rows = "SELECT d.name, w.position, w.valid_from::text, w.valid_to::text FROM employment w JOIN department d"
    rows += " ON d.tenant_id = w.tenant_id AND d.id = w.department_id JOIN employee e ON e.tenant_id = w.tenant_id"
    rows += " AND e.id = w.employee_id WHERE e.number = 'E1' ORDER BY w.valid_from"
    assert await company.rows(rows) == [
        ("一组", "销售", "2025-01-06", "2026-11-23"),
        ("二组", "销售", "2026-11-23", None),
    ]
    ended = await sheets.undo(batch)
    assert ended["undone_count"] == 1
    assert await company.rows(rows) == [("一组", "销售", "2025-01-06", None)]
    assert await sheets.outcome(员工=first) == {"row": 1, "unchanged": 1, "done": 1}


async def test_people_of_one_name_are_called_by_their_numbers(sheets: Sheets, company: Company) -> None:
    staff = [HEADER[:2], ["E1", "张伟"], ["E2", "张伟"], ["E3", "李雷"]]
    batch = await sheets.preview_book(
        员工=staff,
        客户=[["客户名称", "负责人"], ["甲有限公司", "张伟"], ["乙有限公司", "E2"], ["丙有限公司", "李雷"]],
    )
    assert await sheets.told(batch) == [(2, "负责人", "people.nobody_called_so")]
    await sheets.bring(员工=staff)
    later = await sheets.preview_book(客户=[["客户名称", "负责人"], ["甲有限公司", "张伟"], ["乙有限公司", "E2"]])
    assert await sheets.told(later) == [(2, "负责人", "people.name_shared")]
    assert await company.value("SELECT count(*) FROM customer") == 0


async def test_rows_that_can_not_be_are_refused_each_with_its_reason(sheets: Sheets) -> None:
    batch = await sheets.preview_book(
        员工=[
            [*HEADER, "法人主体"],
            ["E1", "李雷", None, "E1", None, None, None, None],
            ["E2", "韩冰", None, "无此人", None, None, None, None],
            ["E3", "王芳", None, None, None, "2025-05-01", "2025-04-01", None],
            ["E4", "赵敏", None, None, None, "2025-05-01", None, "别的公司"],
            ["E4", "赵敏二", None, None, None, "2025-05-01", None, None],
            [None, "孙浩", None, None, None, None, None, None],
        ]
    )
    assert await sheets.told(batch) == [
        (2, "直属上级", "people.manages_self"),
        (3, "直属上级", "people.nobody_called_so"),
        (4, "离职日期", "people.left_out_of_range"),
        (5, "法人主体", "people.legal_entity_unknown"),
        (6, "工号", "exchange.value_twice"),
        (7, "工号", "exchange.value_missing"),
    ]


async def test_new_departments_need_the_verb_for_them(sheets: Sheets, company: Company) -> None:
    before = await company.everything()
    sheets.access = replace(SEES_ALL, permissions=PERMISSIONS - {"department:write"})
    batch = await sheets.preview_book(员工=[HEADER[:3], ["E1", "李雷", "新部门"]])
    assert (batch["state"], batch["failure_key"]) == ("failed", "access.permission_missing")
    assert await company.value("SELECT count(*) FROM department") == 1
    sheets.access = SEES_ALL
    assert (await company.everything())["employee"] == before["employee"]


async def test_people_who_hold_customers_stay_when_their_list_is_taken_back(sheets: Sheets, company: Company) -> None:
    batch = await sheets.bring(员工=[HEADER[:2], ["E1", "李雷"], ["E2", "韩冰"]])
    await sheets.bring(客户=[["客户名称", "负责人"], ["甲有限公司", "E1"]])
    ended = await sheets.undo(batch)
    assert (ended["undone_count"], ended["kept_count"]) == (1, 1)
    assert await sheets.told(ended) == [(2, "", "people.staff_in_use")]
    assert await company.rows("SELECT number FROM employee WHERE number LIKE 'E%'") == [("E1",)]
    assert counts(ended)["applied"] == 2
