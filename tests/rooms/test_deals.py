"""Deals: entered once, credited to the owner of the day, split, cancelled; each with lines that add up."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
import pytest_asyncio

from saas.access.errors import PermissionMissing
from saas.customers.errors import CustomerNotFound
from saas.kernel import Actor, AppError, new_id
from saas.people import create_department
from saas.people.errors import EmployeeNotFound
from saas.sales import CreditPart, NewDeal, Outcome
from saas.sales.errors import (
    DealBeforeCustomer,
    DealCancelled,
    DealChanged,
    DealExists,
    DealHasCollections,
    DealNotFound,
    DealWithoutOwner,
    OpportunityNotFound,
    RowTwice,
    SharesRefused,
    ValueOutOfRange,
)
from tests.rooms.selling import TODAY, Sales
from tests.staging import ALL, REP, Company, refused

YESTERDAY = TODAY - timedelta(days=1)


@pytest_asyncio.fixture(loop_scope="session")
async def rep(company: Company) -> Actor:
    return await company.hire("0002")


@pytest_asyncio.fixture(loop_scope="session")
async def sales(company: Company) -> Sales:
    return Sales(company, company.founder)


async def customer_since(company: Company, day: date, *, keeper: Actor | None = None, name: str = "晨光") -> UUID:
    """A customer that has been here, and owned, since a day."""
    customer_id = await company.enter(name, keeper=keeper)
    at = company.clock.now() - (TODAY - day)
    await company.run("UPDATE customer SET created_at = $1 WHERE id = $2", at, customer_id)
    await company.run(
        "UPDATE ownership SET started_at = $1, started_on = $2 WHERE customer_id = $3", at, day, customer_id
    )
    return customer_id


async def test_a_deal_is_kept_credited_and_told(company: Company, sales: Sales, rep: Actor) -> None:
    customer_id = await company.enter("晨光", keeper=rep)
    deal_id = await sales.acting(rep).deal(customer_id, " D-1 ", "1234.50", vat_rate=Decimal("0.13"), product="GTX Pro")
    assert await company.rows(
        "SELECT customer_id, number, product, signed_on, amount_minor, vat_rate, status, collected_minor, owner_id,"
        " owner_department_id, version, created_at FROM deal"
    ) == [
        (
            customer_id,
            "D-1",
            "GTX Pro",
            TODAY,
            123450,
            Decimal("0.1300"),
            "signed",
            0,
            rep.employee_id,
            company.founded.department_id,
            1,
            company.clock.now(),
        )
    ]
    assert await company.rows("SELECT deal_id, employee_id, share, position FROM performance_credit") == [
        (deal_id, rep.employee_id, Decimal(1), 0)
    ]
    assert await sales.lines() == [("signed", rep.employee_id, TODAY, 123450, True)]
    assert await company.rows("SELECT action, object_type FROM audit_entry WHERE object_id = $1", deal_id) == [
        ("deal.entered", "Deal")
    ]
    assert await company.rows("SELECT payload::text FROM outbox WHERE topic = 'sales.deal_entered'") == [
        (f'{{"deal_id": "{deal_id}", "customer_id": "{customer_id}"}}',)
    ]


async def test_the_credit_goes_to_whoever_owned_the_customer_on_the_day(
    company: Company, sales: Sales, rep: Actor
) -> None:
    other = await company.hire("0003")
    customer_id = await customer_since(company, TODAY - timedelta(days=10), keeper=rep)
    await company.release(rep, customer_id)
    await company.run("UPDATE ownership SET ended_on = $1", TODAY - timedelta(days=3))
    await company.claim(other, customer_id)
    for number, days, owner in (("A", 10, rep), ("B", 3, rep), ("C", 0, other)):
        await sales.deal(customer_id, number, signed_on=TODAY - timedelta(days=days))
        assert await company.value("SELECT owner_id FROM deal WHERE number = $1", number) == owner.employee_id
    before = await company.everything()
    refusal = await refused(sales.deal(customer_id, "D", signed_on=TODAY - timedelta(days=2)))
    assert isinstance(refusal, DealWithoutOwner)
    assert refusal.values == {"day": (TODAY - timedelta(days=2)).isoformat()}
    assert await company.everything() == before


async def test_the_department_is_that_of_the_day(company: Company, sales: Sales, rep: Actor) -> None:
    customer_id = await customer_since(company, YESTERDAY, keeper=rep)
    moved_to = await company.within(
        lambda: create_department(company.founder, name="华东区", parent_id=None, clock=company.clock)
    )
    await company.run(
        "UPDATE employment SET valid_from = '2026-01-01', valid_to = $1 WHERE employee_id = $2", TODAY, rep.employee_id
    )
    await company.run(
        "INSERT INTO employment (tenant_id, id, employee_id, legal_entity_id, department_id, valid_from, known_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, now())",
        company.tenant_id,
        new_id(),
        rep.employee_id,
        company.founded.legal_entity_id,
        moved_to.id,
        TODAY,
    )
    await sales.deal(customer_id, "A", signed_on=YESTERDAY)
    await sales.deal(customer_id, "B", signed_on=TODAY)
    found = await company.rows("SELECT happened_on, department_id FROM performance_line ORDER BY happened_on")
    assert found == [(YESTERDAY, company.founded.department_id), (TODAY, moved_to.id)]


async def test_a_customers_first_day_makes_it_new_whatever_the_order_of_entry(
    company: Company, sales: Sales, rep: Actor
) -> None:
    customer_id = await customer_since(company, TODAY - timedelta(days=9), keeper=rep)
    days = [TODAY - timedelta(days=each) for each in (1, 5, 0, 5, 3)]
    for number, day in enumerate(days):
        await sales.deal(customer_id, f"D{number}", "10.00", signed_on=day)
    first = min(days)
    assert await sales.sums() == [
        ("signed", rep.employee_id, day, day == first, 1000 * days.count(day)) for day in sorted(set(days))
    ]
    reversals = await company.rows("SELECT count(*) FROM performance_line WHERE amount_minor < 0")
    assert reversals == [(1,)]


async def test_without_the_right_to_credit_nobody_names_owner_or_credits(
    company: Company, sales: Sales, rep: Actor
) -> None:
    customer_id = await company.enter("晨光", keeper=rep)
    before = await company.everything()
    whole = (CreditPart(rep.employee_id or UUID(int=0), Decimal(1)),)
    for named in ({"owner_id": rep.employee_id}, {"credits": whole}):
        assert isinstance(await refused(sales.acting(rep).deal(customer_id, **named)), PermissionMissing)
    assert await company.everything() == before


async def test_a_split_deal_hands_the_odd_fen_to_the_first(company: Company, sales: Sales, rep: Actor) -> None:
    two, three = await company.hire("0003"), await company.hire("0004")
    customer_id = await company.enter("晨光", keeper=rep)
    people = [each.employee_id for each in (three, rep, two) if each.employee_id]
    parts = tuple(CreditPart(person, Decimal(1)) for person in people)
    deal_id = await sales.deal(customer_id, amount="100.00", credits=parts)
    assert {line[1]: line[3] for line in await sales.lines()} == dict(zip(people, (3334, 3333, 3333), strict=True))
    await sales.collect(deal_id, "0.02")
    collected = {line[1]: line[3] for line in await sales.lines() if line[0] == "collected"}
    assert collected == {people[0]: 1, people[1]: 1}


async def test_other_credits_reverse_what_was_signed_and_collected(company: Company, sales: Sales, rep: Actor) -> None:
    other = await company.hire("0003")
    customer_id = await customer_since(company, YESTERDAY, keeper=rep)
    deal_id = await sales.deal(customer_id, amount="100.01", signed_on=YESTERDAY)
    await sales.collect(deal_id, "50.00")
    await sales.refund(deal_id, "10.00")
    await sales.credit(deal_id, (rep.employee_id, "0.5"), (other.employee_id, "0.5"))
    one, two = rep.employee_id, other.employee_id
    assert sorted(await sales.lines(), key=str) == sorted(
        [
            ("signed", one, YESTERDAY, 10001, True),
            ("signed", one, YESTERDAY, -10001, True),
            ("signed", one, YESTERDAY, 5001, True),
            ("signed", two, YESTERDAY, 5000, True),
            ("collected", one, TODAY, 5000, True),
            ("collected", one, TODAY, -5000, True),
            ("collected", one, TODAY, 2500, True),
            ("collected", two, TODAY, 2500, True),
            ("refunded", one, TODAY, -1000, True),
            ("refunded", one, TODAY, 1000, True),
            ("refunded", one, TODAY, -500, True),
            ("refunded", two, TODAY, -500, True),
        ],
        key=str,
    )
    assert await company.rows("SELECT version, owner_id FROM deal") == [(2, one)]
    lines = len(await sales.lines())
    await sales.credit(deal_id, (rep.employee_id, "1"), (other.employee_id, "1"), version=2)
    assert len(await sales.lines()) == lines


@pytest.mark.parametrize(
    ("shares", "error"),
    [(("0.6", "0.399"), SharesRefused), (("0.6", "0.401"), SharesRefused), ((), SharesRefused)],
)
async def test_credits_that_are_not_the_whole_change_nothing(
    company: Company, sales: Sales, rep: Actor, shares: tuple[str, ...], error: type[AppError]
) -> None:
    other = await company.hire("0003")
    deal_id = await sales.deal(await company.enter("晨光", keeper=rep))
    before = await company.everything()
    people = (rep.employee_id, other.employee_id)
    refusal = await refused(sales.credit(deal_id, *zip(people, shares, strict=False)))
    assert isinstance(refusal, error)
    if shares == ("0.6", "0.399"):
        assert refusal.values == {"sum": "99.9 %", "missing": "0.1 %"}
    assert await company.everything() == before


async def test_credits_to_strangers_and_of_old_versions_change_nothing(
    company: Company, other_company: Company, sales: Sales, rep: Actor
) -> None:
    deal_id = await sales.deal(await company.enter("晨光", keeper=rep))
    stranger = await other_company.hire("0002")
    before = await company.everything()
    assert isinstance(await refused(sales.credit(deal_id, (stranger.employee_id, "1"))), EmployeeNotFound)
    stale = await refused(sales.credit(deal_id, (rep.employee_id, "1"), version=2))
    assert isinstance(stale, DealChanged)
    assert stale.values == {"expected": 2, "actual": 1}
    assert await company.everything() == before


async def test_a_cancelled_deal_is_taken_back_today(company: Company, sales: Sales, rep: Actor) -> None:
    customer_id = await customer_since(company, TODAY - timedelta(days=9), keeper=rep)
    first = await sales.deal(customer_id, "A", "10.00", signed_on=TODAY - timedelta(days=5))
    await sales.deal(customer_id, "B", "20.00", signed_on=YESTERDAY)
    await sales.cancel(first)
    assert await company.rows("SELECT number, status, cancelled_on, version FROM deal ORDER BY number") == [
        ("A", "cancelled", TODAY, 2),
        ("B", "signed", None, 1),
    ]
    one = rep.employee_id
    assert await sales.sums() == [
        ("signed", one, TODAY - timedelta(days=5), True, 1000),
        ("signed", one, YESTERDAY, True, 2000),
        ("signed", one, TODAY, True, -1000),
    ]
    assert await company.rows("SELECT reason FROM audit_entry WHERE action = 'deal.cancelled'") == [("客户取消",)]
    assert await company.value("SELECT count(*) FROM outbox WHERE topic = 'sales.deal_cancelled'") == 1
    before = await company.everything()
    assert isinstance(await refused(sales.cancel(first, version=2)), DealCancelled)
    assert isinstance(await refused(sales.credit(first, (one, "1"), version=2)), DealCancelled)
    assert await company.everything() == before


async def test_a_deal_with_money_is_not_cancelled_before_it_is_refunded(
    company: Company, sales: Sales, rep: Actor
) -> None:
    deal_id = await sales.deal(await company.enter("晨光", keeper=rep))
    await sales.collect(deal_id, "400.00")
    before = await company.everything()
    refusal = await refused(sales.cancel(deal_id))
    assert isinstance(refusal, DealHasCollections)
    assert refusal.values == {"number": "D-1", "collected": "400.00"}
    assert (await refused(sales.cancel(deal_id, reason=" "))).key == "sales.reason_needed"
    assert await company.everything() == before
    await sales.refund(deal_id, "400.00")
    await sales.cancel(deal_id)
    assert await sales.sums() == [
        ("collected", rep.employee_id, TODAY, True, 40000),
        ("refunded", rep.employee_id, TODAY, True, -40000),
    ]


async def test_deals_that_can_not_be_change_nothing(company: Company, sales: Sales, rep: Actor) -> None:
    own, foreign = await company.enter("甲", keeper=rep), await company.enter("乙", keeper=await company.hire("0003"))
    before = await company.everything()
    mine = sales.acting(rep)
    assert isinstance(await refused(mine.deal(foreign)), CustomerNotFound)
    assert str(await refused(mine.deal(foreign))) == str(await refused(mine.deal(new_id())))
    early = await refused(mine.deal(own, signed_on=YESTERDAY))
    assert isinstance(early, DealBeforeCustomer)
    assert early.values == {"signed_on": "2026-11-22", "since": "2026-11-23"}
    assert isinstance(await refused(mine.deal(own, signed_on=TODAY + timedelta(days=1))), ValueOutOfRange)
    assert isinstance(await refused(mine.deal(own, opportunity_id=new_id())), OpportunityNotFound)
    assert isinstance(await refused(sales.deal(own, owner_id=new_id())), EmployeeNotFound)
    assert await company.everything() == before


async def test_history_is_from_before_the_customer_was_entered(company: Company, sales: Sales, rep: Actor) -> None:
    customer_id = await company.enter("晨光")
    row = NewDeal(customer_id, "D-1", date(2017, 3, 1), Decimal(1054), owner_id=rep.employee_id)
    assert isinstance((await sales.deals([row]))[0].refusal, DealBeforeCustomer)
    assert (await sales.deals([row], is_history=True))[0].outcome is Outcome.NEW
    assert await sales.lines() == [("signed", rep.employee_id, date(2017, 3, 1), 105400, True)]


async def test_the_same_deal_again_changes_nothing(company: Company, sales: Sales, rep: Actor) -> None:
    customer_id = await company.enter("晨光", keeper=rep)
    external = {"external_system": "crm", "external_key": "K1"}
    deal_id = await sales.deal(customer_id, **external)
    before = await company.everything()
    assert await sales.deal(customer_id, **external) == deal_id
    assert await sales.deal(customer_id) == deal_id
    for number, more in (
        ("D-1", {"amount": "1000.01"}),
        ("D-2", external),
        ("D-1", {**external, "external_key": "K2"}),
    ):
        refusal = await refused(sales.deal(customer_id, number, **more))
        assert isinstance(refusal, DealExists)
        assert refusal.values == {"number": "D-1"}
    assert await company.everything() == before


async def test_many_rows_are_judged_one_by_one(company: Company, sales: Sales, rep: Actor) -> None:
    known = await company.enter("晨光", keeper=rep)
    stands = await sales.deal(known, "OLD", "10.00", external_system="crm", external_key="K0")
    base = NewDeal(known, "N", TODAY, Decimal(5))
    rows = [
        replace(base, number="OLD", amount=Decimal(10), external_system="crm", external_key="K0"),
        replace(base, number="OLD-2", amount=Decimal("10.5"), external_system="crm", external_key="K0"),
        replace(base, number="N1"),
        replace(base, number="N1", amount=Decimal(6)),
        replace(base, number="N2", amount=Decimal("0.001")),
        replace(base, number="N3", customer_id=new_id()),
        replace(base, number="N4", signed_on=YESTERDAY),
    ]
    first = await sales.deals([rows[0], *rows[2:]])
    assert [entered.outcome.value for entered in first] == ["unchanged", "new", *["refused"] * 4]
    assert first[0].id == stands
    assert [type(entered.refusal).__name__ for entered in first[2:]] == [
        "RowTwice",
        "AmountRefused",
        "CustomerNotFound",
        "DealBeforeCustomer",
    ]
    twice = first[2].refusal
    assert isinstance(twice, RowTwice)
    assert twice.values == {"first": 2}
    assert await company.value("SELECT count(*) FROM deal") == 2
    second = await sales.deals([rows[1]])
    assert [(entered.outcome, entered.id) for entered in second] == [(Outcome.CHANGED, stands)]
    assert await company.rows("SELECT number, amount_minor, version FROM deal WHERE id = $1", stands) == [
        ("OLD-2", 1050, 2)
    ]
    assert [line[3] for line in await sales.lines()] == [-1000, 500, 1000, 1050]
    assert await company.rows("SELECT changes::text FROM audit_entry WHERE action = 'deal.changed'") == [
        ('{"amount": ["10.00", "10.50"], "number": ["OLD", "OLD-2"]}',)
    ]


async def test_a_second_import_changes_nothing(company: Company, sales: Sales, rep: Actor) -> None:
    other = await company.hire("0003")
    customers = [await company.enter(f"客户{number}", keeper=rep) for number in range(3)]
    rows = [
        NewDeal(
            customers[number % 3],
            f"D{number}",
            TODAY,
            Decimal(number + 1),
            owner_id=other.employee_id,
            external_system="crm",
            external_key=f"K{number}",
        )
        for number in range(60)
    ]
    assert {entered.outcome for entered in await sales.deals(rows)} == {Outcome.NEW}
    before = await company.everything()
    again = await sales.deals(rows)
    assert {entered.outcome for entered in again} == {Outcome.UNCHANGED}
    assert await company.everything() == before
    assert await sales.sums() == [("signed", other.employee_id, TODAY, True, 100 * sum(range(1, 61)))]


async def test_entering_many_costs_few_statements(company: Company, sales: Sales, rep: Actor) -> None:
    customer_id = await company.enter("晨光", keeper=rep)
    counts = []
    for start, size in ((0, 1), (1, 200)):
        rows = [NewDeal(customer_id, f"D{number}", TODAY, Decimal(1)) for number in range(start, start + size)]
        async with company.database.transaction(company.tenant_id) as transaction:
            counter = _Counting(transaction.connection)
            transaction.connection = counter  # type: ignore[assignment]
            counts.append((await sales.entering(rows), counter.statements))
            transaction.connection = counter.connection  # type: ignore[assignment]
    (one, of_one), (many, of_many) = counts
    assert [len(one), len(many)] == [1, 200]
    assert of_many == of_one <= 25


class _Counting:
    """A connection that counts its statements."""

    def __init__(self, connection: object) -> None:
        self.connection = connection
        self.statements = 0

    def __getattr__(self, name: str) -> object:
        self.statements += name in ("fetch", "fetchrow", "fetchval", "execute")
        return getattr(self.connection, name)


async def test_smaller_than_what_came_in_a_deal_does_not_become(company: Company, sales: Sales, rep: Actor) -> None:
    customer_id = await company.enter("晨光", keeper=rep)
    deal_id = await sales.deal(customer_id)
    await sales.collect(deal_id, "600.00")
    before = await company.everything()
    (entered,) = await sales.deals([NewDeal(customer_id, "D-1", TODAY, Decimal("599.99"))])
    assert isinstance(entered.refusal, DealHasCollections)
    assert await company.everything() == before
    (entered,) = await sales.deals([NewDeal(customer_id, "D-1", TODAY, Decimal("600.00"))])
    assert entered.outcome is Outcome.CHANGED


async def test_who_does_not_see_a_deal_does_not_touch_it(company: Company, sales: Sales, rep: Actor) -> None:
    other = await company.hire("0003")
    deal_id = await sales.deal(await company.enter("晨光", keeper=rep))
    before = await company.everything()
    theirs = sales.acting(other, replace(REP, permissions=ALL.permissions))
    for attempt in (
        theirs.cancel(deal_id),
        theirs.credit(deal_id, (other.employee_id, "1")),
        theirs.collect(deal_id, "1"),
        theirs.refund(deal_id, "1"),
    ):
        assert isinstance(await refused(attempt), DealNotFound)
    assert await company.everything() == before
    await sales.credit(deal_id, (rep.employee_id, "0.5"), (other.employee_id, "0.5"))
    await theirs.collect(deal_id, "1")
