"""What the database itself keeps of deals, whoever writes: shares that add up to 1, targets that do not overlap."""

from __future__ import annotations

import asyncio
from datetime import date
from decimal import Decimal
from uuid import UUID

import asyncpg
import pytest

from saas.kernel import new_id
from tenants import Transaction
from tests.staging import Company

_DEAL = """
INSERT INTO deal (tenant_id, id, customer_id, number, signed_on, amount_minor, vat_rate, owner_id, owner_department_id,
    created_at) VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, now())
"""
_CREDIT = """
INSERT INTO performance_credit (tenant_id, id, deal_id, employee_id, department_id, share, position)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_TARGET = """
INSERT INTO target (tenant_id, id, employee_id, metric, period_first, period_until, amount_minor, created_at)
VALUES ($1, $2, $3, 'signed', $4, $5, $6, now())
"""


async def write_deal(
    transaction: Transaction, company: Company, customer_id: UUID, shares: tuple[str, ...], *, amount: int = 100
) -> UUID:
    """A deal with credits of these shares, written without the room's actions."""
    deal_id, where = new_id(), company.founded
    day = date(2026, 11, 20)
    await transaction.execute(
        _DEAL, company.tenant_id, deal_id, customer_id, "D1", day, amount, where.employee_id, where.department_id
    )
    people = [where.employee_id] + [
        (await transaction.fetchval("SELECT id FROM employee WHERE number = $1", f"000{place + 2}"))
        for place in range(len(shares) - 1)
    ]
    for place, share in enumerate(shares):
        await transaction.execute(
            _CREDIT, company.tenant_id, new_id(), deal_id, people[place], where.department_id, Decimal(share), place
        )
    return deal_id


@pytest.mark.parametrize(
    "shares", [(), ("0.99999999",), ("0.5", "0.499"), ("0.5", "0.5", "0.00000001"), ("1", "1")], ids=str
)
async def test_shares_that_do_not_add_up_to_one_never_commit(company: Company, shares: tuple[str, ...]) -> None:
    customer_id = await company.enter("晨光")
    for number in ("0002", "0003"):
        await company.hire(number)
    before = await company.everything()
    with pytest.raises(asyncpg.CheckViolationError, match="add up to"):
        async with company.database.transaction(company.tenant_id) as transaction:
            await write_deal(transaction, company, customer_id, shares)
    assert await company.everything() == before


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM performance_credit WHERE position = 1",
        "UPDATE performance_credit SET share = 0.6 WHERE position = 0",
    ],
)
async def test_shares_can_not_be_brought_out_of_balance_later(company: Company, change: str) -> None:
    customer_id = await company.enter("晨光")
    await company.hire("0002")
    async with company.database.transaction(company.tenant_id) as transaction:
        await write_deal(transaction, company, customer_id, ("0.5", "0.5"))
    before = await company.everything()
    with pytest.raises(asyncpg.CheckViolationError, match="add up to"):
        await company.run(change)
    assert await company.everything() == before


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE deal SET collected_minor = 101", "deal_collected"),
        ("UPDATE deal SET collected_minor = -1", "deal_collected"),
        ("UPDATE deal SET amount_minor = 0", "deal_amount"),
        ("UPDATE deal SET vat_rate = 1", "deal_vat_rate"),
        ("UPDATE deal SET status = 'cancelled'", "deal_status"),
        ("UPDATE deal SET status = 'cancelled', cancelled_on = '2026-11-19'", "deal_cancelled"),
        ("UPDATE deal SET status = 'cancelled', cancelled_on = '2026-11-21', collected_minor = 1", "deal_cancelled"),
        ("UPDATE performance_credit SET share = 0 WHERE position = 0", "performance_credit_share"),
    ],
)
async def test_rows_that_can_not_be(company: Company, statement: str, constraint: str) -> None:
    customer_id = await company.enter("晨光")
    async with company.database.transaction(company.tenant_id) as transaction:
        await write_deal(transaction, company, customer_id, ("1",))
    with pytest.raises(asyncpg.CheckViolationError, match=constraint):
        await company.run(statement)


@pytest.mark.parametrize("table", ["collection", "performance_line"])
async def test_what_was_received_and_credited_is_never_edited(company: Company, table: str) -> None:
    for statement in (f"UPDATE {table} SET amount_minor = 1", f"DELETE FROM {table}"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await company.run(statement)


async def test_targets_of_one_person_and_metric_do_not_overlap(company: Company) -> None:
    me, day = company.founded.employee_id, date(2026, 1, 1)

    async def write(first: date, until: date) -> int:
        return await company.run(_TARGET, company.tenant_id, new_id(), me, first, until, 100)

    await write(day, date(2026, 4, 1))
    await write(date(2026, 4, 1), date(2026, 7, 1))
    for first, until in ((day, date(2026, 2, 1)), (date(2026, 6, 30), date(2027, 1, 1)), (day, date(2027, 1, 1))):
        with pytest.raises(asyncpg.ExclusionViolationError, match="overlap"):
            await write(first, until)
    with pytest.raises(asyncpg.ExclusionViolationError, match="overlap"):
        await company.run("UPDATE target SET period_until = '2026-04-02' WHERE period_first = '2026-01-01'")
    assert await company.value("SELECT count(*) FROM target") == 2


async def test_of_twenty_overlapping_targets_at_once_one_is_written(company: Company) -> None:
    """Not by equal keys, which a unique index would see: each begins on another day."""
    me = company.founded.employee_id
    attempts = [
        company.run(_TARGET, company.tenant_id, new_id(), me, date(2026, 1, number), date(2026, 2, 1), 100)
        for number in range(1, 21)
    ]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["ExclusionViolationError"] * 19 + ["int"]
    assert await company.value("SELECT count(*) FROM target") == 1


async def test_a_company_begins_with_four_stages(company: Company) -> None:
    assert await company.rows("SELECT key, kind, title_zh, position FROM opportunity_stage ORDER BY position") == [
        ("prospecting", "open", "线索培育", 1),
        ("engaging", "open", "商务洽谈", 2),
        ("won", "won", "赢单", 3),
        ("lost", "lost", "输单", 4),
    ]
