"""Sheets of attendance: months that are replaced, refused and taken back."""

from __future__ import annotations

from saas.kernel import new_id
from tests.rooms.imports.toy import counts
from tests.rooms.sheets.conftest import DAYS, SALARIES, Payroll, Rows, lei


async def test_days_of_a_month_are_replaced_as_a_whole(payroll: Payroll) -> None:
    rows: Rows = [DAYS, ["李雷", "2026-10", "20.5", "1", "0.5", None, None]]
    assert counts(await payroll.sheets.bring(考勤=rows)) == {"row": 1, "done": 1, "new": 1, "applied": 1}
    told = [("E1", "2026-10", kind, days) for kind, days in (("annual_leave", "1.00"), ("sick_leave", "0.50"))]
    assert await payroll.days() == [*told, ("E1", "2026-10", "worked", "20.50")]
    assert await payroll.sheets.outcome(考勤=rows) == {"row": 1, "unchanged": 1, "done": 1}
    payroll.office.later(hours=1)
    before = await payroll.stored()
    batch = await payroll.sheets.preview_book(考勤=[["工号", "月份", "出勤", "旷工"], ["E1", "2026年10月", "21", "0"]])
    assert await payroll.sheets.differences(batch) == [
        (2, "absent", None, "0.00"),
        (2, "annual_leave", "1.00", "0"),
        (2, "sick_leave", "0.50", "0"),
        (2, "worked", "20.50", "21.00"),
    ]
    await payroll.sheets.commit(batch)
    assert await payroll.days() == [("E1", "2026-10", "absent", "0.00"), ("E1", "2026-10", "worked", "21.00")]
    payroll.office.later(hours=1)
    assert (await payroll.sheets.undo(batch))["undone_count"] == 1
    assert await payroll.stored() == before


async def test_days_that_can_not_be_are_refused_in_their_rows(payroll: Payroll) -> None:
    before = await payroll.stored()
    batch = await payroll.sheets.preview_book(
        考勤=[
            DAYS,
            ["无此人", "2026-09", "20"],
            ["韩冰", "2026-10", "20"],
            ["李雷", "2026-09", "31"],
            ["李雷", "2026-08", "-1"],
            ["李雷", "2026-07", "1e400"],
            ["李雷", "2026-06", "1.005"],
            ["李雷", "2026-13", "1"],
            ["李雷", "2026-05", None, None, None, None, None],
            ["李雷", None, "1"],
            ["李雷", "2026-04", "32"],
        ]
    )
    assert await payroll.sheets.told(batch) == [
        (2, "姓名", "people.nobody_called_so"),
        (3, "月份", "attendance.not_employed"),
        (4, "出勤天数", "attendance.days_out_of_range"),
        (5, "出勤天数", "exchange.out_of_range"),
        (6, "出勤天数", "exchange.scientific"),
        (7, "出勤天数", "exchange.too_many_decimals"),
        (8, "月份", "exchange.no_such_day"),
        (9, "出勤天数", "attendance.no_days"),
        (10, "月份", "exchange.value_missing"),
        (11, "出勤天数", "exchange.out_of_range"),
    ]
    assert await payroll.stored() == before


async def test_a_month_of_a_person_has_one_row(payroll: Payroll) -> None:
    rows = [["李雷", "2026-10", "20"], ["E1", "2026-10", "21"], ["李雷", "2026-10", "22"], ["李雷", "2026-09", "19"]]
    batch = await payroll.sheets.preview_book(考勤=[DAYS, *rows])
    assert await payroll.sheets.told(batch) == [
        (3, "姓名", "attendance.month_twice"),
        (4, "姓名 + 月份", "exchange.value_twice"),
    ]
    await payroll.sheets.commit(batch)
    assert await payroll.days() == [("E1", "2026-09", "worked", "19.00"), ("E1", "2026-10", "worked", "20.00")]


async def test_days_of_a_month_with_two_employments_are_counted_once(payroll: Payroll) -> None:
    await payroll.sheets.bring(考勤=[DAYS, ["李雷", "2026-10", "20", None, "1"]])
    await payroll.company.run(
        "WITH ended AS (UPDATE employment SET valid_to = '2026-10-15' WHERE employee_id = $1 RETURNING *)"
        " INSERT INTO employment (tenant_id, id, employee_id, legal_entity_id, department_id, valid_from, known_at)"
        " SELECT tenant_id, $2, employee_id, legal_entity_id, department_id, '2026-10-15', known_at FROM ended",
        payroll.first.employee_id,
        new_id(),
    )
    assert await payroll.sheets.outcome(考勤=[DAYS, ["李雷", "2026-10", "20", None, "1"]]) == {
        "row": 1,
        "unchanged": 1,
        "done": 1,
    }
    before = await payroll.days()
    batch = await payroll.sheets.bring(考勤=[DAYS, ["李雷", "2026-10", "21"]])
    assert await payroll.days() == [("E1", "2026-10", "worked", "21.00")]
    assert (await payroll.sheets.undo(batch))["undone_count"] == 1
    assert await payroll.days() == before


async def test_days_that_were_told_anew_or_frozen_since_stay(payroll: Payroll) -> None:
    await payroll.sheets.bring(定薪=[SALARIES, lei("9000"), ["E2", None, "7000", None, None, None]])
    batch = await payroll.sheets.bring(考勤=[DAYS, ["李雷", "2026-10", "20"], ["李雷", "2026-11", "15"]])
    payroll.office.later(hours=1)
    await payroll.office.open("2026-11")
    await payroll.office.work()
    await payroll.sheets.bring(考勤=[DAYS, ["李雷", "2026-10", "21"]])
    before = await payroll.stored()
    ended = await payroll.sheets.undo(batch)
    assert (ended["undone_count"], ended["kept_count"]) == (0, 2)
    assert await payroll.sheets.told(batch) == [(2, "", "attendance.days_changed"), (3, "", "attendance.days_frozen")]
    assert await payroll.stored() == before
