"""Deals at once: one key makes one deal, and no number of collections and refunds goes past what is there."""

from __future__ import annotations

import asyncio
from collections import Counter
from decimal import Decimal
from typing import Any
from uuid import UUID

from saas.sales import NewDeal, NewTarget
from saas.sales.errors import (
    CollectionExceedsDeal,
    CollectionExists,
    DealChanged,
    DealExists,
    RefundExceedsCollected,
    TargetOverlaps,
)
from tests.rooms.selling import TODAY, Sales
from tests.staging import Company

CROWD = 20


async def kinds(*attempts: object) -> Counter[type]:
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)  # type: ignore[call-overload]
    return Counter(type(outcome) for outcome in outcomes)


async def test_twenty_entries_of_one_key_make_one_deal(company: Company) -> None:
    rep = await company.hire("0002")
    customer_id = await company.enter("晨光", keeper=rep)
    sales = Sales(company, company.founder)
    external: dict[str, Any] = {"external_system": "crm", "external_key": "K1"}
    made = await asyncio.gather(*(sales.deal(customer_id, **external) for _ in range(CROWD)))
    assert len(set(made)) == 1
    for table in ("deal", "performance_credit", "performance_line"):
        assert await company.value(f"SELECT count(*) FROM {table}") == 1
    assert await company.value("SELECT count(*) FROM audit_entry WHERE action = 'deal.entered'") == 1
    assert await company.value("SELECT count(*) FROM outbox WHERE topic = 'sales.deal_entered'") == 1


async def test_of_twenty_different_deals_of_one_number_one_is_entered(company: Company) -> None:
    """Each is of another customer, so that no lock but the number's own orders them."""
    rep = await company.hire("0002")
    customers = [await company.enter(f"客户{number}", keeper=rep) for number in range(CROWD)]
    sales = Sales(company, company.founder)
    assert await kinds(*(sales.deal(customer) for customer in customers)) == {UUID: 1, DealExists: CROWD - 1}
    assert await company.value("SELECT count(*) FROM deal") == 1
    assert await company.value("SELECT sum(amount_minor)::bigint FROM performance_line") == 100000


async def test_sheets_entered_at_once_enter_each_deal_once(company: Company) -> None:
    rep = await company.hire("0002")
    customers = [await company.enter(f"客户{number}", keeper=rep) for number in range(5)]
    rows = [NewDeal(customers[number % 5], f"D{number}", TODAY, Decimal(1)) for number in range(40)]
    sales = Sales(company, company.founder)
    sheets = await asyncio.gather(*(sales.deals(rows if number % 2 else rows[::-1]) for number in range(6)))
    outcomes = Counter(entered.outcome.value for sheet in sheets for entered in sheet)
    assert outcomes == {"new": 40, "unchanged": 200}
    assert await company.rows("SELECT count(*), sum(amount_minor)::bigint FROM performance_line") == [(40, 4000)]


async def test_twenty_collections_never_exceed_the_deal(company: Company) -> None:
    sales = Sales(company, company.founder)
    deal_id = await sales.deal(await company.enter("晨光", keeper=await company.hire("0002")))
    found = await kinds(*(sales.collect(deal_id, "70.00") for _ in range(CROWD)))
    assert found == {UUID: 14, CollectionExceedsDeal: 6}
    assert await company.value("SELECT collected_minor FROM deal") == 98000
    assert await company.value("SELECT sum(amount_minor)::bigint FROM collection") == 98000


async def test_twenty_refunds_never_exceed_what_was_collected(company: Company) -> None:
    sales = Sales(company, company.founder)
    deal_id = await sales.deal(await company.enter("晨光", keeper=await company.hire("0002")))
    await sales.collect(deal_id, "500.00")
    found = await kinds(*(sales.refund(deal_id, "70.00") for _ in range(CROWD)))
    assert found == {UUID: 7, RefundExceedsCollected: 13}
    assert await company.value("SELECT collected_minor FROM deal") == 1000


async def test_collections_and_refunds_at_once_keep_the_balance(company: Company) -> None:
    sales = Sales(company, company.founder)
    deal_id = await sales.deal(await company.enter("晨光", keeper=await company.hire("0002")))
    await sales.collect(deal_id, "500.00")
    attempts = [sales.collect(deal_id, "300.00") for _ in range(10)] + [
        sales.refund(deal_id, "300.00") for _ in range(10)
    ]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    assert {type(each) for each in outcomes} <= {UUID, CollectionExceedsDeal, RefundExceedsCollected}
    stands = await company.value("SELECT collected_minor FROM deal")
    assert isinstance(stands, int)
    assert 0 <= stands <= 100000
    signed = "sum(CASE kind WHEN 'refund' THEN -amount_minor ELSE amount_minor END)::bigint"
    assert await company.value(f"SELECT {signed} FROM collection") == stands
    lines = "SELECT sum(amount_minor)::bigint FROM performance_line WHERE metric <> 'signed'"
    assert await company.value(lines) == stands


async def test_one_collection_key_is_one_collection_whatever_the_deal(company: Company) -> None:
    sales = Sales(company, company.founder)
    rep = await company.hire("0002")
    deals = [
        await sales.deal(await company.enter(f"客户{number}", keeper=rep), f"D{number}") for number in range(CROWD)
    ]
    external: dict[str, Any] = {"external_system": "bank", "external_key": "T1"}
    found = await kinds(*(sales.collect(deal_id, "5.00", **external) for deal_id in deals))
    assert found == {UUID: 1, CollectionExists: CROWD - 1}
    assert await company.value("SELECT sum(collected_minor)::bigint FROM deal") == 500


async def test_credits_and_collections_at_once_leave_lines_of_the_last_credits(company: Company) -> None:
    sales = Sales(company, company.founder)
    rep, other = await company.hire("0002"), await company.hire("0003")
    deal_id = await sales.deal(await company.enter("晨光", keeper=rep))
    found = await kinds(
        *(sales.collect(deal_id, "10.00") for _ in range(10)),
        *(sales.credit(deal_id, (rep.employee_id, "0.5"), (other.employee_id, "0.5")) for _ in range(5)),
    )
    assert found == {UUID: 11, DealChanged: 4}
    assert await company.rows(
        "SELECT metric, employee_id, sum(amount_minor)::bigint FROM performance_line GROUP BY 1, 2 ORDER BY 1, 2"
    ) == sorted(
        [
            ("collected", rep.employee_id, 5000),
            ("collected", other.employee_id, 5000),
            ("signed", rep.employee_id, 50000),
            ("signed", other.employee_id, 50000),
        ],
        key=lambda line: (line[0], str(line[1])),
    )


async def test_of_twenty_targets_of_one_period_one_is_set(company: Company) -> None:
    sales = Sales(company, company.founder)
    me = company.founder.employee_id
    targets = [
        NewTarget(me, None, "signed", TODAY, TODAY.replace(month=12), Decimal(number + 1)) for number in range(CROWD)
    ]
    assert await kinds(*map(sales.target, targets)) == {UUID: 1, TargetOverlaps: CROWD - 1}
    assert await company.value("SELECT count(*) FROM target") == 1
