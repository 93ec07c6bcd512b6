"""Sheets of opportunities, deals, collections, credits and targets, one after the other and on what is there."""

from __future__ import annotations

import pytest
import pytest_asyncio

from saas.exchange import Row
from saas.sales.columns import credited_words
from tests.rooms.imports.toy import counts
from tests.rooms.sheets.conftest import Sheets
from tests.staging import Company

DEALS = ["成交编号", "客户编号", "签约日期", "成交金额", "负责人", "产品"]
COLLECTIONS = ["回款编号", "成交编号", "回款日期", "回款金额", "回款类型"]


@pytest_asyncio.fixture(loop_scope="session")
async def stocked(sheets: Sheets) -> Sheets:
    """Imports of a company with two people and a customer."""
    await sheets.bring(
        员工=[["工号", "姓名"], ["E1", "李雷"], ["E2", "韩冰"]], 客户=[["客户编号", "客户名称"], ["C1", "甲有限公司"]]
    )
    return sheets


def test_shares_are_read_as_people_write_them() -> None:
    row = Row(2, {"credits": ("李雷 60%", "E02：0.4", "韩冰", "王芳35%", "E05 2")})
    assert credited_words(row) == {"李雷": "60%", "E02": "0.4", "韩冰": "1", "王芳": "35%", "E05": "2"}


async def test_a_deal_changed_by_a_second_sheet_is_shown_and_taken_back(stocked: Sheets, company: Company) -> None:
    await stocked.bring(成交=[DEALS, ["D1", "C1", "2026-01-05", "1000", "E1", "板材"]])
    batch = await stocked.preview_book(成交=[DEALS, ["D1", "C1", "2026-01-06", "1200", "E2", None]])
    assert await stocked.differences(batch) == [
        (2, "amount", "1000.00", "1200.00"),
        (2, "owner", "E1", "E2"),
        (2, "signed_on", "2026-01-05", "2026-01-06"),
    ]
    await stocked.commit(batch)
    lines = "SELECT happened_on::text, sum(amount_minor)::bigint FROM performance_line GROUP BY 1"
    lines += " HAVING sum(amount_minor) <> 0 ORDER BY 1"
    assert await company.rows(lines) == [("2026-01-06", 120_000)]
    ended = await stocked.undo(batch)
    assert ended["undone_count"] == 1, await stocked.told(ended)
    assert await company.rows(lines) == [("2026-01-05", 100_000)]
    assert await company.rows("SELECT product, amount_minor FROM deal") == [("板材", 100_000)]


async def test_a_deal_of_nobody_known_is_refused_in_its_row(stocked: Sheets, company: Company) -> None:
    batch = await stocked.preview_book(
        成交=[
            DEALS,
            ["D1", "C9", "2026-01-05", "1000", "E1", None],
            ["D2", "C1", "2026-01-05", "1000", "无此人", None],
            ["D3", "C1", "2027-01-05", "1000", "E1", None],
            ["D4", "C1", "2026-01-05", "0", "E1", None],
            ["D5", "C1", "2026-01-05", "1000", None, None],
        ]
    )
    assert await stocked.told(batch) == [
        (2, "客户编号", "customers.none_called_so"),
        (3, "负责人", "people.nobody_called_so"),
        (4, "签约日期", "sales.day_in_the_future"),
        (5, "成交金额", "sales.amount_not_positive"),
        (6, "负责人", "sales.deal_without_owner"),
    ]
    assert await company.value("SELECT count(*) FROM deal") == 0


async def test_collections_of_a_sheet_never_exceed_their_deals(stocked: Sheets, company: Company) -> None:
    batch = await stocked.preview_book(
        成交=[DEALS, ["D1", "C1", "2026-01-05", "100", "E1", None]],
        回款=[
            COLLECTIONS,
            ["R1", "D1", "2026-02-01", "60", None],
            ["R2", "D1", "2026-02-03", "50", None],
            ["R3", "D1", "2026-02-02", "20", "退款"],
            ["R4", "D9", "2026-02-02", "20", None],
        ],
    )
    assert await stocked.told(batch) == [(5, "成交编号", "sales.no_such_deal")]
    ended = await stocked.commit(batch)
    assert (ended["state"], ended["applied_count"]) == ("committed", 4)
    assert await company.value("SELECT collected_minor FROM deal") == 9_000
    more = await stocked.preview_book(回款=[COLLECTIONS, ["R5", "D1", "2026-03-01", "10.01", None]])
    assert await stocked.told(more) == [(2, "回款金额", "sales.collection_exceeds_deal")]


async def test_the_same_collection_without_a_key_is_known_again(stocked: Sheets, company: Company) -> None:
    rows = [COLLECTIONS[1:4], ["D1", "2026-02-01", "60"], ["D1", "2026-02-02", "60"]]
    await stocked.bring(成交=[DEALS, ["D1", "C1", "2026-01-05", "200", "E1", None]], 回款=rows)
    again = await stocked.preview_book(回款=rows)
    assert counts(again) == {"row": 2, "unchanged": 2, "done": 2}
    assert await company.value("SELECT count(*) FROM collection") == 2


async def test_credits_of_a_sheet_move_the_performance_and_back(stocked: Sheets, company: Company) -> None:
    await stocked.bring(成交=[DEALS, ["D1", "C1", "2026-01-05", "100", "E1", None]])
    rows = [["成交编号", "业绩归属"], ["D1", "E1 1、E2 3"]]
    batch = await stocked.bring(业绩归属=rows)
    lines = "SELECT e.number, sum(l.amount_minor)::bigint FROM performance_line l JOIN employee e"
    lines += (
        " ON e.tenant_id = l.tenant_id AND e.id = l.employee_id GROUP BY 1 HAVING sum(l.amount_minor) <> 0 ORDER BY 1"
    )
    assert await company.rows(lines) == [("E1", 2_500), ("E2", 7_500)]
    assert await stocked.outcome(业绩归属=rows) == {"row": 1, "unchanged": 1, "done": 1}
    assert (await stocked.undo(batch))["undone_count"] == 1
    assert await company.rows(lines) == [("E1", 10_000)]
    wrong = await stocked.preview_book(业绩归属=[rows[0], ["D1", "E1 50%、E2 40%"], ["D7", "E1 1"]])
    assert await stocked.told(wrong) == [(2, "业绩归属", "sales.shares_short"), (3, "成交编号", "sales.no_such_deal")]


async def test_periods_of_targets_are_months_days_or_numbers_of_months(stocked: Sheets, company: Company) -> None:
    header = ["员工", "部门", "目标指标", "月份", "目标开始日期", "目标结束日期", "月数", "目标金额"]
    await stocked.bring(
        业绩目标=[
            header,
            ["E1", None, "回款", "2026-02", None, None, None, "10"],
            ["E1", None, None, None, "2026-01-01", "2026-03-31", None, "20"],
            ["E2", None, None, None, "2025-11-30", None, "3", "30"],
        ]
    )
    assert await company.rows(
        "SELECT metric, period_first::text, period_until::text, amount_minor FROM target ORDER BY amount_minor"
    ) == [
        ("collected", "2026-02-01", "2026-03-01", 1_000),
        ("signed", "2026-01-01", "2026-04-01", 2_000),
        ("signed", "2025-11-30", "2026-02-28", 3_000),
    ]
    batch = await stocked.preview_book(
        业绩目标=[
            header,
            ["E1", None, None, None, "2026-01-01", "2026-03-31", None, "25"],
            ["E1", None, None, "2026-03", None, None, None, "9"],
            ["E2", None, None, None, None, None, None, "9"],
            [None, "无此部门", None, "2026-03", None, None, None, "9"],
        ]
    )
    assert await stocked.differences(batch) == [(2, "amount", "20.00", "25.00")]
    assert [key for _, _, key in await stocked.told(batch)] == [
        "sales.target_overlaps",
        "sales.target_without_period",
        "people.department_not_found",
    ]


@pytest.mark.usefixtures("chunks_of_a_hundred")
async def test_targets_that_overlap_are_found_however_far_apart_they_stand(stocked: Sheets, company: Company) -> None:
    months = [f"{2000 + n // 12}-{n % 12 + 1:02}" for n in range(120)]
    rows = [["E1", None, month, None, None, "10"] for month in months]
    rows += [[None, "晨光销售有限公司", month, None, None, "10"] for month in months]
    rows += [
        ["李雷", None, None, "2001-01-15", "2001-02-14", "9"],
        [None, "晨光销售有限公司", "2000-02", None, None, "9"],
    ]
    batch = await stocked.preview_book(
        业绩目标=[["员工", "部门", "月份", "目标开始日期", "目标结束日期", "目标金额"], *rows]
    )
    assert counts(batch) == {"row": 242, "new": 240, "failed": 2, "done": 242}
    assert await stocked.told(batch) == [
        (242, "目标开始日期", "sales.target_overlaps"),
        (243, "目标开始日期", "sales.target_overlaps"),
    ]
    assert await company.value("SELECT count(*) FROM target") == 0
    ended = await stocked.commit(batch)
    assert (ended["state"], ended["applied_count"]) == ("committed", 240), ended["failure"]
