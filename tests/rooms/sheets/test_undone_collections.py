"""An import of collections that is undone: counter entries, nothing left of it in any sum, and the file comes again."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from saas.incentives.errors import StageRefused
from saas.kernel import Actor, AppError
from saas.sales.actions.reversals import reverse_collections
from tests.rooms.imports.toy import counts
from tests.rooms.paying import APRIL, MARCH, MAY, Paying, a_plan
from tests.rooms.selling import Sales
from tests.rooms.sheets.conftest import Sheets
from tests.staging import Company, refused

DEALS = ["成交编号", "客户编号", "签约日期", "成交金额", "负责人"]
COLLECTIONS = ["回款编号", "成交编号", "回款日期", "回款金额", "回款类型"]
LEDGER = """
SELECT external_key, kind, received_on::text, amount_minor, reversed_by_id IS NOT NULL, reverses_id IS NOT NULL
FROM collection ORDER BY received_on, kind, amount_minor DESC, external_key
"""
PERFORMANCE = """
SELECT metric, happened_on::text, sum(amount_minor)::bigint FROM performance_line WHERE metric <> 'signed'
GROUP BY 1, 2 HAVING sum(amount_minor) <> 0 ORDER BY 2, 1
"""


@pytest_asyncio.fixture(loop_scope="session")
async def sold(sheets: Sheets) -> Sheets:
    """Imports of a company with a rep and a deal of 1,000 yuan."""
    await sheets.bring(
        员工=[["工号", "姓名"], ["E1", "李雷"]],
        客户=[["客户编号", "客户名称"], ["C1", "甲有限公司"]],
        成交=[DEALS, ["D1", "C1", "2026-01-05", "1000", "E1"]],
    )
    return sheets


ROWS: list[list[Any]] = [
    COLLECTIONS,
    ["R1", "D1", "2026-03-02", "600", None],
    ["R2", "D1", "2026-03-09", "100", "退款"],
    ["R3", "D1", "2026-03-16", "500", None],
]


async def test_each_entry_is_followed_by_its_counter_entry_and_nothing_counts(sold: Sheets, company: Company) -> None:
    batch = await sold.bring(回款=ROWS)
    assert await company.value("SELECT collected_minor FROM deal") == 100_000
    performance = [
        ("collected", "2026-03-02", 60_000),
        ("refunded", "2026-03-09", -10_000),
        ("collected", "2026-03-16", 50_000),
    ]
    assert await company.rows(PERFORMANCE) == performance
    ended = await sold.undo(batch)
    assert (ended["state"], ended["undone_count"], ended["kept_count"]) == ("undone", 3, 0)
    assert await company.rows(LEDGER) == [
        ("R1", "collection", "2026-03-02", 60_000, True, False),
        (None, "collection", "2026-03-02", -60_000, False, True),
        ("R2", "refund", "2026-03-09", 10_000, True, False),
        (None, "refund", "2026-03-09", -10_000, False, True),
        ("R3", "collection", "2026-03-16", 50_000, True, False),
        (None, "collection", "2026-03-16", -50_000, False, True),
    ]
    assert (
        await company.rows(
            "SELECT r.batch_id, c.reversed_by_id = r.id, c.deal_id = r.deal_id FROM collection r"
            " JOIN collection c ON c.id = r.reverses_id"
        )
        == [(batch["id"], True, True)] * 3
    )
    assert await company.value("SELECT collected_minor FROM deal") == 0
    assert await company.rows(PERFORMANCE) == []
    told = await company.rows("SELECT action, count(*) FROM audit_entry WHERE action LIKE '%.reversed' GROUP BY 1")
    assert sorted(told) == [("collection.reversed", 2), ("refund.reversed", 1)]
    assert await company.value("SELECT count(*) FROM outbox WHERE topic = 'sales.collection_reversed'") == 3


@pytest.mark.parametrize("width", [5, 4], ids=["with keys", "without keys"])
async def test_the_same_file_comes_again(sold: Sheets, company: Company, width: int) -> None:
    rows = [row[5 - width :] for row in ROWS]
    first = await sold.bring(回款=rows)
    await sold.undo(first)
    again = await sold.preview_book(回款=rows)
    assert counts(again) == {"row": 3, "new": 3, "done": 3}
    await sold.commit(again)
    assert await company.value("SELECT collected_minor FROM deal") == 100_000
    assert await company.value("SELECT count(*) FROM collection") == 9
    assert counts(await sold.preview_book(回款=rows)) == {"row": 3, "unchanged": 3, "done": 3}
    second = await sold.undo(again)
    assert (second["state"], second["undone_count"]) == ("undone", 3)
    assert await company.value("SELECT collected_minor FROM deal") == 0


async def test_deals_of_the_same_workbook_go_with_their_collections(sheets: Sheets, company: Company) -> None:
    await sheets.bring(员工=[["工号", "姓名"], ["E1", "李雷"]], 客户=[["客户编号", "客户名称"], ["C1", "甲有限公司"]])
    book: dict[str, list[list[Any]]] = {"成交": [DEALS, ["D1", "C1", "2026-01-05", "1000", "E1"]], "回款": ROWS}
    batch = await sheets.bring(**book)
    ended = await sheets.undo(batch)
    assert (ended["state"], ended["undone_count"], ended["kept_count"]) == ("undone", 4, 0)
    assert await company.rows("SELECT status, collected_minor FROM deal") == [("cancelled", 0)]
    await sheets.bring(**book)
    assert await company.rows("SELECT status, collected_minor FROM deal ORDER BY status") == [
        ("cancelled", 0),
        ("signed", 100_000),
    ]


async def test_a_collection_stays_that_a_later_refund_rests_on(sold: Sheets, company: Company) -> None:
    batch = await sold.bring(
        回款=[COLLECTIONS, ["R1", "D1", "2026-03-02", "600", None], ["R2", "D1", "2026-03-09", "200", None]]
    )
    deal_id = await company.value("SELECT id FROM deal")
    assert isinstance(deal_id, UUID)
    await Sales(company, company.founder).refund(deal_id, "350.00", on=date(2026, 4, 1))
    ended = await sold.undo(batch)
    assert (ended["undone_count"], ended["kept_count"]) == (1, 1)
    assert await sold.told(ended) == [(2, "", "sales.collection_rested_on")]
    assert await company.value("SELECT collected_minor FROM deal") == 25_000
    assert await company.rows("SELECT external_key FROM collection WHERE reversed_by_id IS NOT NULL") == [("R2",)]


async def test_what_a_locked_settlement_counted_comes_as_an_adjustment(sold: Sheets, company: Company) -> None:
    paying = Paying.of(company)
    plan_id = await paying.in_force(a_plan())
    batch = await sold.bring(回款=ROWS)
    march = await paying.settled(plan_id, MARCH)
    locked = await paying.lines(of=march.settlement_id)
    assert [(kind, amount) for _, kind, _, amount in locked] == [
        ("earned", 1800),
        ("clawed_back", -300),
        ("earned", 1500),
    ]
    await sold.undo(batch)
    april = await paying.settled(plan_id, APRIL)
    adjusted = await paying.lines(of=april.settlement_id)
    assert [(kind, day, amount) for _, kind, day, amount in adjusted] == [
        ("adjusted", date(2026, 4, 1), -1800),
        ("adjusted", date(2026, 4, 1), -1500),
        ("adjusted", date(2026, 4, 1), 300),
    ]
    assert await paying.lines(of=march.settlement_id) == locked
    await sold.bring(回款=ROWS)
    may = await paying.calculation(plan_id, MAY)
    assert may.lines == 3, "the new entries are late facts of March, and nothing is paid twice"
    assert sum(amount for *_, amount in await paying.lines()) == 0  # type: ignore[misc]


async def test_what_counts_no_more_has_no_stage(sold: Sheets, company: Company) -> None:
    await sold.undo(await sold.bring(回款=ROWS))
    paying = Paying.of(company)
    deal_id = await company.value("SELECT id FROM deal")
    ids = [row_id for (row_id,) in await company.rows("SELECT id FROM collection WHERE kind = 'collection'")]
    assert isinstance(deal_id, UUID)
    assert len(ids) == 4
    for row_id in ids:
        assert isinstance(row_id, UUID)
        refusal = await refused(paying.stage(deal_id, "定金", date(2026, 3, 2), row_id))
        assert isinstance(refusal, StageRefused)


async def test_of_twenty_reversals_at_once_one_is_written(sold: Sheets, company: Company) -> None:
    await sold.bring(回款=ROWS)
    ids = await ids_of(company)
    answers = await asyncio.gather(*(reversing(company, company.founder, ids) for _ in range(20)))
    assert answers == [{}] * 20
    assert await company.value("SELECT count(*) FROM collection") == 6
    assert await company.value("SELECT collected_minor FROM deal") == 0


COUNTER = """
INSERT INTO collection (tenant_id, id, deal_id, kind, received_on, amount_minor, created_at, reverses_id)
SELECT tenant_id, gen_random_uuid(), deal_id, kind, received_on, -1, created_at, {of} FROM collection
WHERE reversed_by_id IS NOT NULL LIMIT 1
"""


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("UPDATE collection SET amount_minor = 1", asyncpg.InsufficientPrivilegeError),
        ("UPDATE collection SET reverses_id = id", asyncpg.InsufficientPrivilegeError),
        ("DELETE FROM collection", asyncpg.InsufficientPrivilegeError),
        ("UPDATE collection SET reversed_by_id = id WHERE reverses_id IS NOT NULL", asyncpg.CheckViolationError),
        (COUNTER.format(of="NULL"), asyncpg.CheckViolationError),
        (COUNTER.format(of="id"), asyncpg.UniqueViolationError),
    ],
)
async def test_the_database_keeps_the_ledger(
    sold: Sheets, company: Company, sql: str, error: type[asyncpg.PostgresError]
) -> None:
    await sold.undo(await sold.bring(回款=ROWS))
    before = await company.everything()
    with pytest.raises(error):
        await company.run(sql)
    assert await company.everything() == before


async def test_nobody_reverses_another_companys(sold: Sheets, company: Company, other_company: Company) -> None:
    await sold.bring(回款=ROWS)
    before, ids = await company.everything(), await ids_of(company)
    assert await reversing(other_company, other_company.founder, ids) == {}
    assert await company.everything() == before
    assert await other_company.value("SELECT count(*) FROM collection") == 0


async def ids_of(company: Company) -> list[UUID]:
    """All collections and refunds."""
    return [row_id for (row_id,) in await company.rows("SELECT id FROM collection") if isinstance(row_id, UUID)]


async def reversing(company: Company, actor: Actor, ids: list[UUID]) -> dict[UUID, AppError]:
    """A reversal of its own."""
    return await company.within(
        lambda: reverse_collections(actor, ids, batch_id=None, currency="CNY", clock=company.clock)
    )
