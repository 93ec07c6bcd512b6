"""Collections and refunds: never more than the deal is worth, each once, each with lines of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from saas.kernel import Actor, AppError, new_id
from saas.sales import NewCollection, Outcome
from saas.sales.errors import (
    AmountRefused,
    CollectionExceedsDeal,
    CollectionExists,
    DealCancelled,
    DealNotFound,
    RefundExceedsCollected,
    RowTwice,
    ValueOutOfRange,
)
from tests.rooms.selling import TODAY, Sales
from tests.staging import Company, refused

YESTERDAY = TODAY - timedelta(days=1)


@pytest_asyncio.fixture(loop_scope="session")
async def rep(company: Company) -> Actor:
    return await company.hire("0002")


@pytest_asyncio.fixture(loop_scope="session")
async def sales(company: Company) -> Sales:
    return Sales(company, company.founder)


@pytest_asyncio.fixture(loop_scope="session")
async def deal_id(company: Company, sales: Sales, rep: Actor) -> UUID:
    """A deal of 1,000.00."""
    return await sales.deal(await company.enter("晨光", keeper=rep))


async def test_money_comes_in_and_goes_back(company: Company, sales: Sales, rep: Actor, deal_id: UUID) -> None:
    came = await sales.collect(deal_id, "600.00", on=YESTERDAY, method="银行转账")
    back = await sales.refund(deal_id, "100.50")
    assert await company.rows(
        "SELECT id, kind, received_on, amount_minor, method FROM collection ORDER BY received_on"
    ) == [(came, "collection", YESTERDAY, 60000, "银行转账"), (back, "refund", TODAY, 10050, None)]
    assert await company.rows("SELECT collected_minor, version FROM deal") == [(49950, 1)]
    assert await sales.lines() == [
        ("collected", rep.employee_id, YESTERDAY, 60000, True),
        ("refunded", rep.employee_id, TODAY, -10050, True),
        ("signed", rep.employee_id, TODAY, 100000, True),
    ]
    assert await company.rows("SELECT collection_id, metric FROM performance_line ORDER BY metric") == [
        (came, "collected"),
        (back, "refunded"),
        (None, "signed"),
    ]
    assert await company.rows(
        "SELECT action, object_id FROM audit_entry WHERE object_type = 'Collection' ORDER BY action"
    ) == [("collection.recorded", came), ("refund.recorded", back)]
    assert await company.rows("SELECT topic, payload ->> 'collection_id' FROM outbox WHERE topic LIKE '%recorded'") == [
        ("sales.collection_recorded", str(came)),
        ("sales.refund_recorded", str(back)),
    ]


@pytest.mark.parametrize(
    ("kind", "amount", "ahead", "error"),
    [
        ("collect", "1000.01", 0, CollectionExceedsDeal),
        ("collect", "0", 0, AmountRefused),
        ("collect", "-5", 0, AmountRefused),
        ("collect", "0.001", 0, AmountRefused),
        ("collect", "1", 1, ValueOutOfRange),
        ("refund", "0.01", 0, RefundExceedsCollected),
    ],
)
async def test_what_can_not_be_changes_nothing(
    company: Company, sales: Sales, deal_id: UUID, kind: str, amount: str, ahead: int, error: type[AppError]
) -> None:
    before = await company.everything()
    attempt = sales.collect if kind == "collect" else sales.refund
    assert isinstance(await refused(attempt(deal_id, amount, on=TODAY + timedelta(days=ahead))), error)
    assert await company.everything() == before


async def test_a_deal_takes_exactly_what_it_is_worth(company: Company, sales: Sales, deal_id: UUID) -> None:
    await sales.collect(deal_id, "999.99")
    refusal = await refused(sales.collect(deal_id, "0.02"))
    assert refusal.values == {"amount": "0.02", "open": "0.01", "deal_amount": "1000.00"}
    await sales.collect(deal_id, "0.01")
    refusal = await refused(sales.refund(deal_id, "1000.01"))
    assert refusal.values == {"amount": "1000.01", "collected": "1000.00"}
    await sales.refund(deal_id, "1000.00")
    assert await company.value("SELECT collected_minor FROM deal") == 0


async def test_a_missing_or_cancelled_deal_receives_nothing(company: Company, sales: Sales, deal_id: UUID) -> None:
    await sales.cancel(deal_id)
    before = await company.everything()
    assert isinstance(await refused(sales.collect(deal_id, "1")), DealCancelled)
    assert isinstance(await refused(sales.refund(deal_id, "1")), DealCancelled)
    assert isinstance(await refused(sales.collect(new_id(), "1")), DealNotFound)
    assert await company.everything() == before


async def test_the_same_collection_again_changes_nothing(company: Company, sales: Sales, deal_id: UUID) -> None:
    external: dict[str, Any] = {"external_system": "bank", "external_key": "T1"}
    came = await sales.collect(deal_id, "10.00", **external)
    before = await company.everything()
    assert await sales.collect(deal_id, "10", **external) == came
    for amount, attempt in (("10.01", sales.collect), ("10.00", sales.refund)):
        refusal = await refused(attempt(deal_id, amount, **external))
        assert isinstance(refusal, CollectionExists)
        assert refusal.values == {"key": "T1"}
    assert await company.everything() == before


async def test_the_order_of_the_rows_does_not_matter(company: Company, sales: Sales, deal_id: UUID) -> None:
    """A sheet may list the refund before what it pays back: days decide, and on one day what came in goes first."""
    came = NewCollection(deal_id, "collection", YESTERDAY, Decimal(700), None, "bank", "T1")
    rows = [
        NewCollection(deal_id, "refund", TODAY, Decimal(650), None, "bank", "T3"),
        replace(came, received_on=TODAY, amount=Decimal(50), external_key="T2"),
        came,
        replace(came, external_key="T4", amount=Decimal(901)),
        replace(came, amount=Decimal(1)),
        NewCollection(new_id(), "collection", TODAY, Decimal(1)),
    ]
    entered = await sales.collections(rows)
    assert [each.outcome.value for each in entered] == ["new", "new", "new", "refused", "refused", "refused"]
    assert [type(each.refusal) for each in entered[3:]] == [CollectionExceedsDeal, RowTwice, DealNotFound]
    assert await company.value("SELECT collected_minor FROM deal") == 10000
    before = await company.everything()
    again = await sales.collections(rows[:3])
    assert [(each.outcome, each.id) for each in again] == [(Outcome.UNCHANGED, each.id) for each in entered[:3]]
    assert await company.everything() == before


async def test_a_currency_without_small_coins_takes_none(company: Company, sales: Sales, rep: Actor) -> None:
    yen = replace(sales, currency="JPY")
    deal_id = await yen.deal(await company.enter("晨光", keeper=rep), amount="5000")
    assert isinstance(await refused(yen.collect(deal_id, "0.5")), AmountRefused)
    await yen.collect(deal_id, "5000")
    assert await company.rows("SELECT amount_minor, collected_minor FROM deal") == [(5000, 5000)]
