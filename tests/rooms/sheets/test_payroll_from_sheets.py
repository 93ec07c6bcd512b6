"""What a payroll needs in one workbook: known by its columns, by whom it may be brought, paid from, taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from saas.access import PermissionMissing
from saas.attendance import AttendanceImport
from saas.exchange import ImportKind, Outcome, Row, Value
from saas.payroll import SalaryImport, find_frozen_days
from tests.rooms.imports.toy import counts
from tests.rooms.sheets.conftest import DAYS, SALARIES, SEES_ALL, Payroll, Rows, lei, sheets_of
from tests.staging import Company


@pytest.mark.parametrize(("sheet", "verb"), [("定薪", "payroll:assign"), ("考勤", "attendance:write")])
async def test_who_may_not_write_pay_or_days_imports_none(
    company: Company, tmp_path: Path, sheet: str, verb: str
) -> None:
    lesser = sheets_of(company, tmp_path, access=replace(SEES_ALL, permissions=SEES_ALL.permissions - {verb}))
    sheets: dict[str, Rows] = {"定薪": [SALARIES, lei("1")], "考勤": [DAYS, ["李雷", "2026-10", "20"]]}
    with pytest.raises(PermissionMissing) as refusal:
        await lesser.preview_book(**{sheet: sheets[sheet]})
    assert verb in refusal.value.values.values()
    assert await company.value("SELECT count(*) FROM import_batch") == 0


async def test_one_workbook_brings_a_payroll_and_takes_it_back(payroll: Payroll) -> None:
    batch = await payroll.sheets.bring(
        考勤=[["工号", "月份", "出勤天数", "事假天数"], ["E5", "2026-10", "15", "2"]],
        定薪=[["员工", "底薪", "津贴"], ["王芳", "8700", "通讯补贴 100"], ["E5", "4350", None]],
        员工=[["工号", "姓名", "入职日期"], ["E5", "赵敏", "2026-03-02"], ["E6", "王芳", "2026-10-01"]],
    )
    assert counts(batch) == {"row": 5, "done": 5, "new": 5, "applied": 5}
    assert await payroll.salaries() == [
        ("E5", {"base_salary": "4350.00"}, date(2026, 3, 2), None, "导入"),
        ("E6", {"base_salary": "8700.00", "phone": "100.00"}, date(2026, 10, 1), None, "导入"),
    ]
    ended = await payroll.sheets.undo(batch)
    assert (ended["undone_count"], ended["kept_count"]) == (5, 0), await payroll.sheets.told(ended)
    assert (await payroll.salaries(), await payroll.days()) == ([], [])
    assert await payroll.company.value("SELECT count(*) FROM employee WHERE number IN ('E5', 'E6')") == 0


async def test_a_payroll_is_paid_from_its_sheets(payroll: Payroll) -> None:
    await payroll.sheets.bring(
        定薪=[SALARIES, lei("8700", items="通讯补贴 100")],
        考勤=[["员工", "月份", "出勤天数", "事假天数"], ["E1", "2026-10", "20", "2"]],
    )
    payroll.office.later(hours=1)
    run_id = await payroll.office.computed("2026-10")
    # 22 pay days, two of them unpaid: 20 / 21.75 of 8,700 and of 100.
    slip = (await payroll.office.documents(run_id))["E1"]
    assert {line["code"]: line["amount"] for line in slip["lines"]} == {"basic_pay": "8000.00", "phone_pay": "91.95"}


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        ("员工编号,底薪,生效日期\nE1,8000,2026-10-01", "salaries"),
        ("姓名,月份,出勤天数,事假\n李雷,2026-10,20,1", "attendance"),
        ("employee,month,days worked\nE1,2026-10,20", "attendance"),
    ],
)
async def test_a_sheet_of_no_name_is_known_by_its_columns(payroll: Payroll, lines: str, kind: str) -> None:
    batch = await payroll.sheets.preview(lines.encode(), "表.csv")
    assert counts(batch) == {"row": 1, "done": 1, "new": 1}
    assert await payroll.company.rows("SELECT kind FROM import_part WHERE batch_id = $1", batch["id"]) == [(kind,)]


@pytest.mark.parametrize("kind", [SalaryImport(), AttendanceImport(frozen=find_frozen_days)], ids=["salaries", "days"])
async def test_many_rows_cost_as_many_statements_as_one(payroll: Payroll, kind: ImportKind) -> None:
    people = [f"P{number}" for number in range(201)]
    await payroll.sheets.bring(
        员工=[["工号", "姓名", "入职日期"], *([each, f"员{each}", "2026-03-02"] for each in people)]
    )
    values: dict[str, Value] = {"month": "2026-10", "worked": Decimal(20), "base_salary": Decimal(8000)}
    rows = [Row(number, {"employee": each, **values}) for number, each in enumerate(people)]
    one, many = [await _statements(payroll, kind, part) for part in (rows[:1], rows[1:])]
    assert (one, await payroll.stored()) == (many, [])
    assert sum(many) <= 25


def _note(query: str, seen: list[str]) -> None:
    """What the driver asks of its own, when a connection first meets a type, is nobody's statement."""
    if "typeinfo_tree" not in query and "current_setting('jit')" not in query:
        seen.append(query)


async def _statements(payroll: Payroll, kind: ImportKind, rows: Sequence[Row]) -> list[int]:
    """How many statements it takes to plan rows, to write them, and to take them back."""
    context, company = replace(payroll.sheets.context, is_commit=True), payroll.company
    seen: list[str] = []
    taken: list[int] = []
    async with company.database.transaction(company.tenant_id) as transaction:
        with transaction.connection.query_logger(lambda record: _note(record.query, seen)):
            verdicts = await kind.plan(context, rows)
            taken.append(len(seen))
            applied = await kind.apply(context, rows, verdicts)
            taken.append(len(seen) - sum(taken))
            assert await kind.undo(context, applied) == [None] * len(rows)
            taken.append(len(seen) - sum(taken))
    assert {verdict.outcome for verdict in verdicts} == {Outcome.NEW}
    return taken
