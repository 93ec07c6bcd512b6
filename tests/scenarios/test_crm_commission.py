"""Commission of a real sales team's year, against sums that the sheet itself gives: whole, and month by month."""

from __future__ import annotations

import os
from collections import defaultdict
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import pytest

from saas.incentives import Measure, Moment, Plan, PlanVersion, Release, Rule, Tiers
from saas.kernel import Period, month_after
from saas.sales import NewDeal
from tests.rooms.paying import Paying, d, sure
from tests.rooms.selling import Sales
from tests.scenarios.test_crm_sales import ROWS, rows_of, staff
from tests.staging import Company

pytestmark = pytest.mark.skipif("SAAS_TEST_DATA" not in os.environ, reason="SAAS_TEST_DATA names no folder of data")

CUTS, RATES = (d(10_000), d(30_000)), (d("0.02"), d("0.035"), d("0.05"))
PLAN = Plan(
    "crm",
    "Commission 2017",
    (PlanVersion(1, Period(date(2017, 1, 1)), (Rule("ladder", "ladder", Tiers(CUTS, RATES)),)),),
    with_vat=True,
    measure=Measure.SIGNED,
    anchor=Moment.SIGNING,
    release=Release.AT_SIGNING,
)
DECEMBER = Period.of_month("2017-12")


def by_hand(total: Decimal) -> Decimal:
    """The ladder by three lines of arithmetic, to the fen."""
    low, middle, high = (
        min(total, CUTS[0]),
        min(max(total - CUTS[0], d(0)), CUTS[1] - CUTS[0]),
        max(total - CUTS[1], d(0)),
    )
    return (low * RATES[0] + middle * RATES[1] + high * RATES[2]).quantize(d("0.01"), ROUND_HALF_UP)


async def test_a_years_commission_is_what_the_sheet_gives(company: Company) -> None:
    sales, paying, people = Sales(company, company.founder), Paying.of(company), await staff(company)
    won = [row for row in rows_of("crm_sales_opportunities", "sales_pipeline.csv") if row["deal_stage"] == "Won"]
    customers = {name: await company.enter(name) for name in sorted({row["account"] for row in won})}
    deals = [
        NewDeal(
            customers[row["account"]],
            row["opportunity_id"],
            date.fromisoformat(row["close_date"]),
            Decimal(row["close_value"]),
            product=row["product"],
            owner_id=people[row["sales_agent"]],
        )
        for row in won
    ]
    for start in range(0, len(deals), ROWS):
        await sales.deals(deals[start : start + ROWS], is_history=True)
    totals: dict[tuple[str, date], Decimal] = defaultdict(Decimal)
    for row in won:
        totals[row["sales_agent"], date.fromisoformat(row["close_date"]).replace(day=1)] += Decimal(row["close_value"])
    months = {month: sum(by_hand(total) for (_, of), total in totals.items() if of == month) for _, month in totals}

    plan_id = await paying.in_force(PLAN)
    whole = await paying.calculation(plan_id, DECEMBER)
    assert (whole.people, whole.lines) == (30, 4_238)
    assert whole.earned == whole.payable == sum(months.values())
    assert await paying.calculation(plan_id, DECEMBER, chunk=7) == whole

    month = min(months)
    for _ in range(3):
        done = await paying.settled(plan_id, Period(month, month_after(month)))
        assert (done.earned, done.adjustments) == (months[month], 0)
        assert await company.value(
            "SELECT sum(amount_minor)::bigint FROM accrual WHERE settlement_id = $1", sure(done)
        ) == int(months[month] * 100)
        month = month_after(month)
    rest = await paying.calculation(plan_id, DECEMBER)
    assert rest.earned == sum(amount for of, amount in months.items() if of >= month)
