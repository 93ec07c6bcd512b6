"""Sheets of salaries and of days: what a payroll needs, brought, brought again, refused and taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from uuid import UUID

import orjson
import pytest
import pytest_asyncio

from saas.access import PermissionMissing
from saas.kernel import Actor, new_id
from saas.payroll import MonthlyItem
from saas.sealing import Place
from tests.payroll_samples import BASIC, STRUCTURE, component, structure_of, titles
from tests.payroll_stage import Office, office_of
from tests.rooms.imports.toy import counts
from tests.rooms.sheets.conftest import SEES_ALL, Sheets, sheets_of
from tests.staging import Company

Rows = Sequence[Sequence[object]]

SALES = replace(
    structure_of(BASIC, component("phone_pay", "phone.earned", titles=titles("通讯费", "Phone pay"))),
    items=(*STRUCTURE.items, MonthlyItem(code="phone", titles=titles("通讯补贴", "Phone"))),
)
OTHER = replace(structure_of(BASIC), code="office", titles=titles("职能", "Office"))
SALARIES = ["工号", "薪资结构", "基本工资", "月度金额", "生效日期", "调薪原因"]
DAYS = ["姓名", "月份", "出勤天数", "年假", "病假", "事假", "旷工"]
TODAY, MONTH_FIRST = date(2026, 11, 23), date(2026, 11, 1)


@dataclass
class Payroll:
    """A payroll office whose sheets come in workbooks: E1 李雷 since 2026-02-02, E2 韩冰 since 2026-11-09."""

    sheets: Sheets
    office: Office
    first: Actor
    second: Actor
    structure_id: UUID

    @property
    def company(self) -> Company:
        return self.office.company

    async def salaries(self) -> list[tuple[object, ...]]:
        """(number, amounts, first day, day behind the last, reason) of what is in force or planned."""
        rows = await self.company.rows(
            "SELECT e.number, a.id, a.amounts_sealed, a.valid_from, a.valid_to, a.reason FROM pay_assignment a"
            " JOIN employee e ON e.id = a.employee_id WHERE a.superseded_at IS NULL ORDER BY e.number, a.valid_from"
        )
        return [(number, self._opened(id_, sealed), *more) for number, id_, sealed, *more in rows]

    def _opened(self, row_id: object, sealed: object) -> dict[str, str]:
        place = Place("pay_assignment", "amounts_sealed", row_id)  # type: ignore[arg-type]
        amounts: dict[str, str] = orjson.loads(self.company.keyring.open(place, sealed))  # type: ignore[arg-type]
        return amounts

    async def days(self) -> list[tuple[object, ...]]:
        """(number, month, kind, days) of all counts."""
        return await self.company.rows(
            "SELECT e.number, c.month, c.kind, c.days::text FROM attendance_day_count c JOIN employment m"
            " ON m.id = c.employment_id JOIN employee e ON e.id = m.employee_id ORDER BY 1, 2, 3"
        )

    async def stored(self) -> list[tuple[object, ...]]:
        """All that a sheet of pay may write: assignments to the last byte, counts but for their ids."""
        counts = "SELECT (employment_id, month, kind, days, known_at)::text FROM attendance_day_count ORDER BY 1"
        return [
            *await self.company.rows("SELECT t::text FROM pay_assignment t ORDER BY 1"),
            *await self.company.rows(counts),
        ]

    async def quoted(self, batch_id: object) -> str:
        """Everything in clear that a batch shows to whoever may see it."""
        rows = await self.company.rows(
            "SELECT r.message || r.args::text FROM import_remark r WHERE r.batch_id = $1 UNION ALL"
            " SELECT concat(d.before, d.after) FROM import_difference d JOIN import_part p ON p.id = d.part_id"
            " WHERE p.batch_id = $1",
            batch_id,
        )
        return "\n".join(str(text) for (text,) in rows)


@pytest_asyncio.fixture(loop_scope="session")
async def payroll(company: Company, tmp_path: Path) -> Payroll:
    """A payroll office with one structure and two people who have no salary yet."""
    office = office_of(company)
    structure_id = await office.save(SALES)
    first = await office.employ("E1", name="李雷", hired_on=date(2026, 2, 2))
    second = await office.employ("E2", name="韩冰", hired_on=date(2026, 11, 9))
    return Payroll(sheets_of(company, tmp_path), office, first, second, structure_id)


def lei(base: str, *, items: str | None = None, since: str | None = None) -> list[object]:
    """李雷's row."""
    return ["E1", None, base, items, since, None]


async def test_a_first_salary_begins_on_the_day_of_hiring(payroll: Payroll) -> None:
    rows: Rows = [
        SALARIES,
        ["E1", "sales", "12,000", "车补 300、通讯补贴：100.5元", None, None],
        ["韩冰", "销售", "0.9万", None, "2026-11-16", "试用"],
    ]
    batch = await payroll.sheets.bring(定薪=rows)
    assert counts(batch) == {"row": 2, "done": 2, "new": 2, "applied": 2}
    amounts = {"base_salary": "12000.00", "car": "300.00", "phone": "100.50"}
    assert await payroll.salaries() == [
        ("E1", amounts, date(2026, 2, 2), None, "导入"),
        ("E2", {"base_salary": "9000.00"}, date(2026, 11, 16), None, "试用"),
    ]
    assert await payroll.company.rows(
        "SELECT changes->'structure', changes->'from', reason FROM audit_entry WHERE action = 'pay.assigned' ORDER BY 2"
    ) == [('[null, "sales"]', '[null, "2026-02-02"]', "导入"), ('[null, "sales"]', '[null, "2026-11-16"]', "试用")]
    before = await payroll.stored()
    assert await payroll.sheets.outcome(定薪=rows) == {"row": 2, "unchanged": 2, "done": 2}
    assert await payroll.stored() == before


async def test_a_salary_never_begins_before_its_structure(payroll: Payroll) -> None:
    veteran = await payroll.office.employ("E9", name="王芳", hired_on=date(2015, 7, 1))
    assert veteran.employee_id is not None
    rows = [["姓名", "月薪"], ["王芳", "7000"]]
    await payroll.sheets.bring(定薪=rows)
    assert await payroll.salaries() == [("E9", {"base_salary": "7000.00"}, date(2026, 1, 1), None, "导入")]
    assert await payroll.sheets.outcome(定薪=rows) == {"row": 1, "unchanged": 1, "done": 1}
    early = await payroll.sheets.preview_book(定薪=[SALARIES, ["E9", None, "1", None, "2025-12-31", None]])
    assert await payroll.sheets.told(early) == [(2, "薪资结构", "payroll.structure_not_found")]


async def test_another_salary_begins_this_month_and_no_preview_shows_it(payroll: Payroll) -> None:
    await payroll.sheets.bring(定薪=[SALARIES, lei("12000", items="car 300、phone 100")])
    payroll.office.later(hours=1)
    batch = await payroll.sheets.preview_book(定薪=[SALARIES, lei("13579"), ["E2", None, "24680", None, None, None]])
    assert counts(batch) == {"row": 2, "done": 2, "new": 1, "changed": 1}
    assert await payroll.sheets.differences(batch) == [
        (2, "base_salary", "•••", "•••"),
        (2, "valid_from", "2026-02-02", "2026-11-01"),
    ]
    ended = await payroll.sheets.commit(batch)
    assert (ended["state"], ended["applied_count"]) == ("committed", 2)
    kept = {"car": "300.00", "phone": "100.00"}
    assert await payroll.salaries() == [
        ("E1", {"base_salary": "12000.00", **kept}, date(2026, 2, 2), MONTH_FIRST, "导入"),
        ("E1", {"base_salary": "13579.00", **kept}, MONTH_FIRST, None, "导入"),
        ("E2", {"base_salary": "24680.00"}, date(2026, 11, 9), None, "导入"),
    ]
    trail = await payroll.company.rows("SELECT changes::text FROM audit_entry WHERE action = 'pay.assigned'")
    assert not any(amount in f"{trail}" for amount in ("13579", "24680", "12000"))


async def test_other_items_take_the_place_of_all_that_were(payroll: Payroll) -> None:
    await payroll.sheets.bring(定薪=[SALARIES, lei("12000", items="car 300、phone 100")])
    batch = await payroll.sheets.preview_book(定薪=[SALARIES, lei("12000.00", items="车补 300")])
    assert await payroll.sheets.differences(batch) == [
        (2, "items", "•••", "•••"),
        (2, "valid_from", "2026-02-02", "2026-11-01"),
    ]
    await payroll.sheets.commit(batch)
    (_, amounts, *_), *_ = (await payroll.salaries())[1:]
    assert amounts == {"base_salary": "12000.00", "car": "300.00"}


async def test_what_was_planned_for_later_gives_way_and_is_told(payroll: Payroll) -> None:
    await payroll.sheets.bring(定薪=[SALARIES, lei("9000", since="2027-01-01")])
    batch = await payroll.sheets.preview_book(定薪=[SALARIES, lei("8000", since="2026-06-01")])
    assert counts(batch) == {"row": 1, "done": 1, "changed": 1}
    assert await payroll.sheets.told(batch) == [(2, "生效日期", "payroll.planned_replaced")]
    await payroll.sheets.commit(batch)
    expected = [("E1", {"base_salary": "8000.00"}, date(2026, 6, 1), None, "导入")]
    assert await payroll.salaries() == expected
    await payroll.sheets.undo(batch)
    assert await payroll.salaries() == [("E1", {"base_salary": "9000.00"}, date(2027, 1, 1), None, "导入")]


@pytest.mark.parametrize(
    "wrong",
    [
        [
            (["无此人", None, "71001"], "工号", "people.nobody_called_so"),
            (["E1", "none", "71002"], "薪资结构", "payroll.structure_not_called_so"),
            (["李雷", None, "71003", "餐补 72003"], "月度金额", "payroll.item_unknown"),
            (["E2", None, "-71004"], "基本工资", "payroll.amount_unfit"),
            (["韩冰", None, "1e400"], "基本工资", "exchange.scientific"),
            (["0001", None, "71006"], "工号", "payroll.own_pay"),
        ],
        [
            (["E1", None, "71009", "车补 1,200"], "月度金额", "payroll.item_malformed"),
            (["E2", None, "71010", "car 72010、车补 72011"], "月度金额", "payroll.item_twice"),
            (["李雷", None, "71011", "车补 1e400"], "月度金额", "exchange.scientific"),
            (["韩冰", None, None], "基本工资", "exchange.value_missing"),
            (["X", None, "71.001"], "基本工资", "exchange.too_many_decimals"),
            (["Y", None, "71012", None, "2026-13-01"], "生效日期", "exchange.no_such_day"),
        ],
        [
            (["E1", None, "9999999999999"], "基本工资", "payroll.amount_unfit"),
            (["E2", None, "71008", "车补 -72008"], "月度金额", "payroll.amount_unfit"),
            (["李雷", None, "71013", "车补 720 13 整"], "月度金额", "payroll.item_unknown"),
            (["韩冰", None, "71014", "车补"], "月度金额", "payroll.item_malformed"),
        ],
    ],
)
async def test_salaries_that_can_not_be_are_refused_in_their_rows(
    payroll: Payroll, wrong: list[tuple[list[object], str, str]]
) -> None:
    before = await payroll.stored()
    batch = await payroll.sheets.preview_book(定薪=[SALARIES, *(row for row, _, _ in wrong)])
    told = [(number, column, key) for number, (_, column, key) in enumerate(wrong, start=2)]
    assert await payroll.sheets.told(batch) == told
    assert counts(batch) == {"row": len(wrong), "done": len(wrong), "failed": len(wrong)}
    quoted = await payroll.quoted(batch["id"])
    assert [amount for amount in ("710", "720", "1e400", "99999", "71.001", "1,200") if amount in quoted] == []
    assert await payroll.stored() == before


async def test_a_person_has_one_row_whatever_it_calls_them(payroll: Payroll) -> None:
    rows: Rows = [
        SALARIES,
        lei("8000"),
        ["李雷", None, "9000", None, "2026-12-01", None],
        lei("9500", since="2027-01-01"),
    ]
    batch = await payroll.sheets.preview_book(定薪=rows)
    assert await payroll.sheets.told(batch) == [
        (3, "工号", "payroll.person_twice"),
        (4, "工号", "exchange.value_twice"),
    ]
    await payroll.sheets.commit(batch)
    assert await payroll.salaries() == [("E1", {"base_salary": "8000.00"}, date(2026, 2, 2), None, "导入")]


async def test_a_company_of_several_structures_names_one(payroll: Payroll) -> None:
    await payroll.office.save(OTHER)
    batch = await payroll.sheets.preview_book(定薪=[SALARIES, lei("8000"), ["E2", "职能", "7000", None, None, None]])
    assert await payroll.sheets.told(batch) == [(2, "薪资结构", "payroll.structure_needed")]
    await payroll.sheets.commit(batch)
    again = await payroll.sheets.preview_book(定薪=[SALARIES, ["E2", "sales", "7000", "car 5", None, None]])
    assert await payroll.sheets.differences(again) == [
        (2, "items", "", "•••"),
        (2, "structure", "office", "sales"),
    ]
    assert await payroll.sheets.outcome(定薪=[["员工", "底薪"], ["E2", "7000"]]) == {
        "row": 1,
        "unchanged": 1,
        "done": 1,
    }


async def test_salaries_are_taken_back_and_what_they_superseded_holds_again(payroll: Payroll) -> None:
    await payroll.sheets.bring(定薪=[SALARIES, lei("8000")])
    payroll.office.later(hours=1)
    before = await payroll.stored()
    batch = await payroll.sheets.bring(定薪=[SALARIES, lei("9000"), ["E2", None, "7000", None, None, None]])
    payroll.office.later(hours=1)
    ended = await payroll.sheets.undo(batch)
    assert (ended["state"], ended["undone_count"], ended["kept_count"]) == ("undone", 2, 0)
    assert await payroll.stored() == before
    undone = "SELECT object_id FROM audit_entry WHERE action = 'pay.assignment_undone'"
    assert {row[0] for row in await payroll.company.rows(undone)} == {
        payroll.first.employee_id,
        payroll.second.employee_id,
    }


async def test_salaries_that_were_changed_or_frozen_since_stay(payroll: Payroll) -> None:
    batch = await payroll.sheets.bring(定薪=[SALARIES, lei("9000"), ["E2", None, "7000", None, None, None]])
    payroll.office.later(hours=1)
    await payroll.office.assign(payroll.first, payroll.structure_id, "9100", on=date(2026, 12, 1))
    await payroll.office.open("2026-11")
    await payroll.office.work()
    before = await payroll.stored()
    ended = await payroll.sheets.undo(batch)
    assert (ended["undone_count"], ended["kept_count"]) == (0, 2)
    assert await payroll.sheets.told(batch) == [(2, "", "payroll.pay_changed"), (3, "", "payroll.pay_frozen")]
    assert await payroll.stored() == before


async def test_a_run_that_freezes_meanwhile_has_the_salary_or_finds_it_gone(payroll: Payroll) -> None:
    batch = await payroll.sheets.bring(定薪=[SALARIES, lei("9000")])
    payroll.office.later(hours=1)
    run_id = await payroll.office.open("2026-10")
    ended, _ = await asyncio.gather(payroll.sheets.undo(batch), payroll.office.work())
    frozen = await payroll.company.value(
        "SELECT inputs_sealed IS NOT NULL FROM payroll_input WHERE run_id = $1 AND employee_id = $2",
        run_id,
        payroll.first.employee_id,
    )
    assert (ended["undone_count"], ended["kept_count"]) == ((0, 1) if frozen else (1, 0))
    assert len(await payroll.salaries()) == (1 if frozen else 0)


async def test_nobody_takes_back_their_own_salary(payroll: Payroll) -> None:
    batch = await payroll.sheets.bring(定薪=[SALARIES, lei("9000"), ["E2", None, "7000", None, None, None]])
    own = payroll.sheets.as_(replace(payroll.first, account_id=new_id()))
    ended = await own.undo(batch)
    assert (ended["undone_count"], ended["kept_count"]) == (1, 1)
    assert await payroll.sheets.told(batch) == [(2, "", "payroll.own_pay")]
    assert [number for number, *_ in await payroll.salaries()] == ["E1"]


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
