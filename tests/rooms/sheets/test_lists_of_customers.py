"""Lists of customers pass the checks of every other new customer (L17), and tell as little (P38)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from saas.access import PERMISSIONS, AccessTable
from saas.customers import LevelDays, NewCustomer, create_customer
from saas.exchange import Mode
from tests.rooms.imports.toy import counts
from tests.rooms.sheets.conftest import Sheets, sheets_of
from tests.staging import ZONE, Company, refused

HEADER = ["客户编号", "客户名称", "行业", "手机", "负责人"]
OWN_ONLY = AccessTable(
    "own",
    permissions=PERMISSIONS,
    scopes={"Customer": frozenset({"self"}), "ImportBatch": frozenset({"self"})},
)


async def test_an_empty_cell_changes_nothing_and_a_filled_one_is_shown(sheets: Sheets, company: Company) -> None:
    await sheets.bring(客户=[HEADER, ["C1", "华信建材有限公司", "建材", "13800000001", None]])
    batch = await sheets.preview_book(客户=[HEADER, ["C1", "华信建材有限公司", None, "13800000002", None]])
    assert await sheets.differences(batch) == [(2, "phone", "•••", "•••")]
    await sheets.commit(batch)
    assert await company.rows("SELECT industry, phone_masked, version FROM customer") == [("建材", "138****0002", 2)]
    ended = await sheets.undo(batch)
    assert ended["undone_count"] == 1
    assert await company.rows("SELECT industry, phone_masked, version FROM customer") == [("建材", "138****0001", 3)]


async def test_a_list_may_say_what_customers_need(sheets: Sheets, company: Company) -> None:
    header = ["客户名称", "语言", "所需技能", "意向产品"]
    await sheets.bring(客户=[header, ["华信建材有限公司", "en", "冷链", None], ["远山贸易", None, None, None]])
    await sheets.bring(客户=[header, ["华信建材有限公司", None, "谈判", "年金"]])
    assert await company.rows("SELECT language, required_skill, wanted_product FROM customer ORDER BY name") == [
        ("en", "谈判", "年金"),
        (None, None, None),
    ]


async def test_names_are_compared_without_width_case_and_spaces(sheets: Sheets, company: Company) -> None:
    await company.enter("华为（深圳）有限公司")
    batch = await sheets.preview_book(
        客户=[
            HEADER,
            [None, "华为(深圳) 有限公司", "通信", None, None],
            ["C2", "ABC 贸易", None, None, None],
            ["C3", "ａｂｃ贸易", None, None, None],
        ]
    )
    assert counts(batch) == {"row": 3, "new": 1, "changed": 1, "failed": 1, "done": 3}
    assert await sheets.told(batch) == [(4, "客户名称", "exchange.value_twice")]


async def test_another_customer_with_the_number_is_told_as_a_duplicate(sheets: Sheets, company: Company) -> None:
    rep = await company.hire("R1", name="李雷")
    await company.enter("甲有限公司", keeper=rep, phone="13800000001")
    before = await company.everything()
    batch = await sheets.preview_book(客户=[HEADER, ["C9", "乙有限公司", None, "13800000001", None]])
    assert await sheets.told(batch) == [(2, "手机", "customers.exists_owned")]
    assert (await company.everything())["customer"] == before["customer"]


@pytest.mark.usefixtures("chunks_of_a_hundred")
async def test_the_holding_limit_counts_what_the_list_gives_over_all_its_chunks(
    sheets: Sheets, company: Company
) -> None:
    await company.set_rules(holding_limit=101)
    rows = [[f"C{n}", f"客户{n}有限公司", None, None, "E1"] for n in range(103)]
    batch = await sheets.preview_book(员工=[["工号", "姓名"], ["E1", "李雷"]], 客户=[HEADER, *rows])
    assert counts(batch) == {"row": 104, "new": 102, "failed": 2, "done": 104}
    assert {key for _, _, key in await sheets.told(batch)} == {"customers.owner_holds_all"}
    ended = await sheets.commit(batch)
    assert (ended["state"], ended["applied_count"]) == ("committed", 102)
    assert await company.value("SELECT count(*) FROM customer WHERE owner_id IS NOT NULL") == 101
    assert (
        await company.value("SELECT count(*) FROM ownership WHERE start_kind = 'imported' AND ended_at IS NULL") == 101
    )


async def test_a_list_tells_of_others_customers_no_more_often_than_entering_them(
    company: Company, tmp_path: Path
) -> None:
    owner = await company.hire("R1", name="李雷")
    for n in range(3):
        await company.enter(f"秘密{n}有限公司", keeper=owner)
    spy = await company.hire("R2", name="韩冰")
    sheets = sheets_of(company, tmp_path, access=OWN_ONLY)
    sheets.actor = replace(spy, locale="zh-CN")
    await company.run(
        "INSERT INTO refused_check_count (tenant_id, account_id, counted_on, refusals)"
        " VALUES ($1, $2, '2026-11-23', 98)",
        company.tenant_id,
        spy.account_id,
    )
    batch = await sheets.preview_book(客户=[HEADER, *([None, f"秘密{n}有限公司", None, None, None] for n in range(3))])
    assert [key for _, _, key in await sheets.told(batch)] == [
        "customers.exists_owned",
        "customers.exists_owned",
        "customers.duplicate_checks_used_up",
    ]
    assert await company.value("SELECT refusals FROM refused_check_count WHERE account_id = $1", spy.account_id) == 100
    assert await company.value("SELECT count(*) FROM audit_entry WHERE action = 'customer.duplicate_check'") == 2
    one = NewCustomer(name="秘密0有限公司")
    refusal = await refused(
        company.within(
            lambda: create_customer(spy, one, keep=False, keyring=company.keyring, time_zone=ZONE, clock=company.clock)
        )
    )
    assert refusal.key == "customers.duplicate_checks_used_up"


async def test_a_list_hands_no_customer_over(sheets: Sheets, company: Company) -> None:
    await company.hire("R1", name="李雷")
    second = await company.hire("R2", name="韩冰")
    customer = await company.enter("甲有限公司", keeper=second)
    batch = await sheets.bring(客户=[HEADER, [None, "甲有限公司", "建材", None, "R1"]])
    assert await sheets.told(batch) == [(2, "负责人", "customers.owner_not_changed")]
    assert await company.rows("SELECT id, owner_id, industry FROM customer") == [(customer, second.employee_id, "建材")]


async def test_a_customer_changed_since_the_preview_stops_the_commit(sheets: Sheets, company: Company) -> None:
    await sheets.bring(客户=[HEADER, ["C1", "甲有限公司", "建材", None, None]])
    batch = await sheets.preview_book(客户=[HEADER, ["C1", "甲有限公司", "贸易", None, None]])
    await company.run("UPDATE customer SET industry = '物流', version = version + 1")
    refusal = await refused(sheets.ask_commit(batch["id"]))
    assert refusal.key == "exchange.plan_changed"
    assert await company.rows("SELECT industry FROM customer") == [("物流",)]


async def test_a_name_that_looks_like_a_formula_is_a_name(sheets: Sheets, company: Company) -> None:
    batch = await sheets.preview("客户名称\n=cmd|' /C calc'!A0\n".encode(), "客户.csv", mode=Mode.REJECT_ALL)
    await sheets.commit(batch)
    assert await company.rows("SELECT name, external_key FROM customer") == [("=cmd|' /C calc'!A0", None)]


async def test_former_owners_never_contradict_what_was_recorded_here(sheets: Sheets, company: Company) -> None:
    rep = await company.hire("R1", name="李雷")
    await company.hire("R2", name="韩冰")
    await company.enter("甲有限公司", keeper=rep)
    header = ["客户名称", "历任负责人", "开始日期", "结束日期"]
    batch = await sheets.preview_book(
        归属历史=[
            header,
            ["甲有限公司", "韩冰", "2025-01-01", "2025-06-30"],
            ["甲有限公司", "韩冰", "2026-07-01", "2026-06-30"],
            ["甲有限公司", "韩冰", "2026-07-01", "2027-06-30"],
            ["乙有限公司", "韩冰", "2025-01-01", "2025-06-30"],
        ]
    )
    assert await sheets.told(batch) == [
        (3, "结束日期", "customers.history_out_of_order"),
        (4, "结束日期", "customers.history_out_of_order"),
        (5, "客户名称", "customers.none_called_so"),
    ]
    ended = await sheets.commit(batch)
    assert ended["applied_count"] == 1
    undone = await sheets.undo(ended)
    assert undone["undone_count"] == 1
    assert await company.value("SELECT count(*) FROM ownership") == 1


async def test_a_list_changes_levels_by_right_and_days_grow_once(sheets: Sheets, company: Company) -> None:
    """L13: a list is no way round it, nor is taking one back; the next run reckons the due date."""
    await company.configure(recycle_follow_up_days_by_level=(LevelDays("A", 90), LevelDays("C", 10)), grace_days=1)
    rep = await company.hire("R1", name="李雷")
    customer_id = await company.enter("甲有限公司", keeper=rep)
    header, found = ["客户编号", "客户名称", "级别"], []
    batch: dict[str, Any] = {}
    for level in ("C", "A", "C", "A"):
        batch = await sheets.bring(客户=[header, ["C1", "甲有限公司", level]])
        await company.recycle()
        found += await company.rows("SELECT level, due_on - received_on FROM customer WHERE id = $1", customer_id)
    assert found == [("C", 11), ("A", 91), ("C", 11), ("A", 11)]
    await sheets.undo(batch)
    await company.recycle()
    undone = await company.rows("SELECT level, due_on - received_on FROM customer WHERE id = $1", customer_id)
    assert undone == [("C", 11)]
    unentitled = replace(sheets, access=replace(sheets.access, permissions=PERMISSIONS - {"customer:level"}))
    refused_ = await unentitled.preview_book(客户=[header, ["C1", "甲有限公司", "B"]])
    assert refused_["state"] != "previewed"


async def test_edits_and_imports_of_a_record_move_no_clock(sheets: Sheets, company: Company) -> None:
    """L10: what a list changes of a customer, again and again, neither keeps it nor moves the day it goes."""
    rep = await company.hire("R1", name="李雷")
    customer_id = await company.enter("甲有限公司", keeper=rep)
    due = "SELECT due_on, due_rule, received_on, effective_follow_up_on FROM customer WHERE id = $1"
    before = await company.rows(due, customer_id)
    for number, day in enumerate((10, 10, 9)):
        company.clock.advance(timedelta(days=day))
        await sheets.bring(客户=[HEADER, ["C1", "甲有限公司", f"行业{number}", f"1380000000{number}", None]])
        await company.recycle()
        assert await company.rows(due, customer_id) == before
    company.clock.advance(timedelta(days=3))
    for _ in range(4):  # nobody could be warned: it waits a day, three times at the most
        await company.recycle()
        company.clock.advance(timedelta(days=1))
    assert await company.value("SELECT owner_id FROM customer WHERE id = $1", customer_id) is None
    (columns,) = await company.rows(
        "SELECT count(*) FROM information_schema.columns WHERE column_name = 'updated_at' AND table_name IN"
        " ('customer', 'ownership', 'follow_up', 'opportunity')"
    )
    assert columns == (0,)
