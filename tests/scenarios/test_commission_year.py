"""A spring of commission, from plan to payroll: every figure was worked out by hand and stands beside its sum.

The plan: collected amounts without VAT (13 %), marginal tiers per month (3 % up to 100,000, 5 % up to 200,000, 8 %
above), customers in the first 90 days from their first order 6 % flat, and 1 % bonus on top for old customers.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest_asyncio

from saas.incentives import (
    Award,
    CustomerKind,
    Flat,
    Match,
    Member,
    Plan,
    PlanVersion,
    PoolTerms,
    Rule,
    Tiers,
)
from saas.kernel import Actor, Period, new_id
from saas.sealing import Place
from tests.rooms.paying import APRIL, MARCH, MAY, Paying, person
from tests.rooms.selling import Sales
from tests.staging import Company

d = Decimal
LADDER = Tiers((d(100_000), d(200_000)), (d("0.03"), d("0.05"), d("0.08")))
PLAN = Plan(
    "sales-2026",
    "2026 销售提成",
    (
        PlanVersion(
            1,
            Period(date(2026, 1, 1)),
            (
                Rule("ladder", "阶梯提成", LADDER),
                Rule("new", "新客提成", Flat(d("0.06")), match=Match(kind=CustomerKind.NEW)),
                Rule("old", "老客奖金", Flat(d("0.01")), match=Match(kind=CustomerKind.OLD), award=Award.BONUS),
            ),
            new_customer_days=90,
        ),
    ),
)


@pytest_asyncio.fixture(loop_scope="session")
async def mei(company: Company) -> Actor:
    return await company.hire("0002", name="梅")


@pytest_asyncio.fixture(loop_scope="session")
async def bo(company: Company) -> Actor:
    return await company.hire("0003", name="波")


async def statements(company: Company, settlement_id: UUID) -> dict[UUID, tuple[str, str, str, str]]:
    """Earned, brought, payable and carried of each person, opened."""
    names = ("earned_sealed", "brought_sealed", "payable_sealed", "carried_sealed")
    rows = await company.rows(
        f"SELECT id, employee_id, {', '.join(names)} FROM settlement_line WHERE settlement_id = $1", settlement_id
    )
    found = {}
    for row_id, employee_id, *sealed in rows:
        assert isinstance(row_id, UUID)
        assert isinstance(employee_id, UUID)
        earned, brought, payable, carried = (
            company.keyring.open(Place("settlement_line", name, row_id), value)  # type: ignore[arg-type]
            for name, value in zip(names, sealed, strict=True)
        )
        found[employee_id] = (earned, brought, payable, carried)
    return found


async def test_a_spring_of_commission(company: Company, mei: Actor, bo: Actor) -> None:
    sales, paying = Sales(company, company.founder), Paying.of(company)
    old, new = await company.enter("老客户", keeper=mei), await company.enter("新客户", keeper=bo)
    await company.run("UPDATE customer SET created_at = '2025-01-01'")
    await company.run("UPDATE ownership SET started_at = '2025-01-01', started_on = '2025-01-01'")
    vat = {"vat_rate": d("0.13")}
    # The old customer's first order is of 2025; it was collected before the plan began and is none of its business.
    first = await sales.deal(old, "O-0", "1130.00", signed_on=date(2025, 6, 1), **vat)
    await sales.collect(first, "1130.00", on=date(2025, 6, 2))
    big = await sales.deal(old, "O-1", "282500.00", signed_on=date(2026, 3, 2), **vat)
    shared = await sales.deal(new, "N-1", "113000.00", signed_on=date(2026, 3, 5), **vat)
    await sales.credit(shared, (bo.employee_id, "0.6"), (mei.employee_id, "0.4"))
    await sales.collect(big, "169500.00", on=date(2026, 3, 10))  # 150,000 without VAT
    await sales.collect(shared, "56500.00", on=date(2026, 3, 20))  # 50,000: Bo 30,000, Mei 20,000
    plan_id = await paying.in_force(PLAN)

    # March. Mei, old customer: 100,000 × 3 % + 50,000 × 5 % = 5,500, and 1 % of 150,000 = 1,500 bonus.
    # New customer, 6 % of 50,000 = 3,000: Bo 1,800, Mei 1,200.
    march = await paying.settled(plan_id, MARCH)
    assert (march.people, march.lines, march.adjustments) == (2, 4, 0)
    assert (march.earned, march.payable) == (None, None), "of two people a sum would tell what each gets"
    assert await paying.lines(of=march.settlement_id) == [
        (mei.employee_id, "earned", date(2026, 3, 10), 150000),
        (mei.employee_id, "earned", date(2026, 3, 10), 550000),
        (mei.employee_id, "earned", date(2026, 3, 20), 120000),
        (bo.employee_id, "earned", date(2026, 3, 20), 180000),
    ]
    assert await statements(company, march.settlement_id) == {
        mei.employee_id: ("8200.00", "0", "8200.00", "0"),
        bo.employee_id: ("1800.00", "0", "1800.00", "0"),
    }

    # April. The rest of the big deal: 100,000 without VAT at 3 % = 3,000, and 1,000 bonus.
    # A receipt of 33,900 on the shared deal, dated 25 March, is entered late: 30,000 × 6 % = 1,800: 1,080 and 720 as
    # adjustments of March. The new customer gets 22,600 back: of the latest receipt, 20,000 × 6 % = 1,200: 720 and 480.
    await sales.collect(big, "113000.00", on=date(2026, 4, 8))
    await sales.collect(shared, "33900.00", on=date(2026, 3, 25))
    await sales.refund(shared, "22600.00", on=date(2026, 4, 15))
    april = await paying.settled(plan_id, APRIL)
    assert (april.people, april.lines, april.adjustments) == (2, 6, 2)
    assert await paying.lines(of=april.settlement_id) == [
        (mei.employee_id, "adjusted", date(2026, 4, 1), 72000),
        (bo.employee_id, "adjusted", date(2026, 4, 1), 108000),
        (mei.employee_id, "earned", date(2026, 4, 8), 100000),
        (mei.employee_id, "earned", date(2026, 4, 8), 300000),
        (bo.employee_id, "clawed_back", date(2026, 4, 15), -72000),
        (mei.employee_id, "clawed_back", date(2026, 4, 15), -48000),
    ]
    assert await statements(company, april.settlement_id) == {
        mei.employee_id: ("4240.00", "0", "4240.00", "0"),
        bo.employee_id: ("360.00", "0", "360.00", "0"),
    }

    # May. All that the new customer still had paid goes back, 67,800 (60,000 without VAT, at 6 % 3,600): Bo −2,160,
    # Mei −1,440. A pool of 10 % above 90,000 of April's result, 113,000 − 22,600 = 90,400: 40.00, Mei 3 : Bo 1.
    await sales.refund(shared, "67800.00", on=date(2026, 5, 6))
    members = [Member(person(mei.employee_id), d(3)), Member(person(bo.employee_id), d(1))]
    terms = PoolTerms(share=d("0.1"), hurdle=d(90_000))
    seen = await paying.pool(plan_id, terms, members)
    assert (seen.result, seen.funding.pool) == (d("90400.00"), d("40.00"))
    stored = await paying.pool(plan_id, terms, members, seen.plan_hash)
    await paying.approve_pool(stored)
    may = await paying.settled(plan_id, MAY)
    assert await paying.lines(of=may.settlement_id) == [
        (bo.employee_id, "pool", date(2026, 4, 30), 1000),
        (mei.employee_id, "pool", date(2026, 4, 30), 3000),
        (bo.employee_id, "clawed_back", date(2026, 5, 6), -180000),  # 50,000 × 6 % × 0.6
        (mei.employee_id, "clawed_back", date(2026, 5, 6), -120000),
        (bo.employee_id, "clawed_back", date(2026, 5, 6), -36000),  # what was left of the late receipt: 10,000
        (mei.employee_id, "clawed_back", date(2026, 5, 6), -24000),
    ]
    assert await statements(company, may.settlement_id) == {
        mei.employee_id: ("-1410.00", "0", "0", "-1410.00"),
        bo.employee_id: ("-2150.00", "0", "0", "-2150.00"),
    }

    # Payroll takes each statement once.
    employment = await company.value("SELECT id FROM employment WHERE employee_id = $1", mei.employee_id)
    assert isinstance(employment, UUID)
    run, other = new_id(), new_id()
    owed = await paying.owed(employment, APRIL, run)
    assert [(each.first, each.amount) for each in owed] == [
        (date(2026, 3, 1), d("8200.00")),
        (date(2026, 4, 1), d("4240.00")),
    ]
    await paying.pay(run, *(each.statement_id for each in owed))
    assert await paying.owed(employment, APRIL, other) == []
    assert await paying.owed(employment, APRIL, run) == owed
