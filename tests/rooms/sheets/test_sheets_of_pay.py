"""Sheets of salaries: what people are paid by, brought, brought again, refused and taken back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date

import pytest

from saas.kernel import new_id
from tests.rooms.imports.toy import counts
from tests.rooms.sheets.conftest import MONTH_FIRST, OTHER, SALARIES, Payroll, Rows, lei


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
