"""A year of a real sales team: 8,800 opportunities and what was won of them, to the totals that are published."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from saas.sales import (
    NewDeal,
    NewOpportunity,
    NewTarget,
    Outcome,
    attainment,
    shown_attainment,
)
from tests.rooms.selling import Sales
from tests.staging import Company

DATA = Path(os.environ.get("SAAS_TEST_DATA", "."))
pytestmark = pytest.mark.skipif("SAAS_TEST_DATA" not in os.environ, reason="SAAS_TEST_DATA names no folder of data")
ROWS = 1_000


def rows_of(*path: str) -> Iterator[dict[str, str]]:
    with DATA.joinpath(*path).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


async def staff(company: Company) -> dict[str, UUID]:
    agents = [row["sales_agent"] for row in rows_of("crm_sales_opportunities", "sales_teams.csv")]
    found: dict[str, UUID] = {}
    for number, name in enumerate(agents):
        person = (await company.hire(f"A{number:03}", name=name)).employee_id
        assert person is not None
        found[name] = person
    return found


async def test_the_pipeline_of_a_sales_team(company: Company) -> None:
    sales, people = Sales(company, company.founder), await staff(company)
    pipeline = list(rows_of("crm_sales_opportunities", "sales_pipeline.csv"))
    names = sorted({row["account"] for row in pipeline} - {""})
    customers = {name: await company.enter(name) for name in names}
    opportunities = [
        NewOpportunity(
            row["deal_stage"].lower(),
            customer_id=customers.get(row["account"]),
            owner_id=people[row["sales_agent"]],
            product=row["product"],
            engaged_on=day(row["engage_date"]),
            closed_on=day(row["close_date"]),
            expected=Decimal(row["close_value"]) if row["close_value"] else None,
            external_system="crm",
            external_key=row["opportunity_id"],
        )
        for row in pipeline
    ]
    deals = [
        NewDeal(
            customers[row["account"]],
            row["opportunity_id"],
            date.fromisoformat(row["close_date"]),
            Decimal(row["close_value"]),
            product=row["product"],
            owner_id=people[row["sales_agent"]],
            external_system="crm",
            external_key=row["opportunity_id"],
        )
        for row in pipeline
        if row["deal_stage"] == "Won"
    ]
    for expected in (Outcome.NEW, Outcome.UNCHANGED):  # a second import of the same sheet changes nothing
        outcomes: Counter[Outcome] = Counter()
        for start in range(0, len(opportunities), ROWS):
            entered = await sales.opportunities(opportunities[start : start + ROWS])
            outcomes.update(each.outcome for each in entered)
        assert outcomes == {expected: 8_800}
        outcomes = Counter()
        for start in range(0, len(deals), ROWS):
            entered = await sales.deals(deals[start : start + ROWS], is_history=True)
            outcomes.update(each.outcome for each in entered)
        assert outcomes == {expected: 4_238}
    assert await company.rows(
        "SELECT s.key, count(*), count(*) FILTER (WHERE o.customer_id IS NULL)"
        " FROM opportunity o JOIN opportunity_stage s ON s.tenant_id = o.tenant_id AND s.id = o.stage_id"
        " GROUP BY s.key, s.position ORDER BY s.position"
    ) == [("prospecting", 500, 337), ("engaging", 1589, 1088), ("won", 4238, 0), ("lost", 2473, 0)]
    by_quarter = await company.rows(
        "SELECT extract(quarter FROM happened_on)::int, sum(amount_minor)::bigint FROM performance_line"
        " GROUP BY 1 ORDER BY 1"
    )
    assert by_quarter == [(1, 113467200), (2, 308611100), (3, 298225500), (4, 280249600)]
    assert await company.value("SELECT sum(amount_minor)::bigint FROM performance_line") == 1000553400
    assert await company.rows(
        "SELECT e.name, sum(p.amount_minor)::bigint, count(*) FILTER (WHERE p.amount_minor > 0) -"
        " count(*) FILTER (WHERE p.amount_minor < 0) FROM performance_line p"
        " JOIN employee e ON e.tenant_id = p.tenant_id AND e.id = p.employee_id GROUP BY e.name ORDER BY 2 DESC LIMIT 1"
    ) == [("Darcel Schlecht", 115321400, 349)]
    first_days = await company.rows(
        "SELECT count(*) FROM (SELECT customer_id, min(signed_on) AS day FROM deal GROUP BY customer_id) f"
        " JOIN deal d ON d.customer_id = f.customer_id AND d.signed_on = f.day"
    )
    new_lines = await company.rows("SELECT sum(sign(amount_minor))::bigint FROM performance_line WHERE is_new_customer")
    assert new_lines == first_days


async def test_attainment_of_a_complete_quarter(company: Company) -> None:
    """Quotas and orders of AdventureWorks, 2011-05-31 .. 2011-08-30: from 0.72 to 1.16, one person above the quota."""
    sales = Sales(company, company.founder, currency="USD")
    first, until = date(2011, 5, 31), date(2011, 8, 31)
    orders = [
        row
        for row in rows_of("adventureworks_sales", "sales_order_header_first1000.csv")
        if row["salespersonid"] and first <= date.fromisoformat(row["orderdate"][:10]) < until
    ]
    quotas = {
        row["businessentityid"]: Decimal(row["salesquota"])
        for row in rows_of("adventureworks_sales", "sales_person_quota_history.csv")
        if date.fromisoformat(row["quotadate"][:10]) == first
    }
    people: dict[str, UUID] = {}
    for number in sorted(quotas.keys() | {row["salespersonid"] for row in orders}):
        person = (await company.hire(f"P{number}", name=f"Person {number}")).employee_id
        assert person is not None
        people[number] = person
    customer = await company.enter("Stores")
    deals = [
        NewDeal(
            customer,
            row["salesorderid"],
            date.fromisoformat(row["orderdate"][:10]),
            Decimal(row["subtotal"]).quantize(Decimal("0.01")),
            owner_id=people[row["salespersonid"]],
        )
        for row in orders
    ]
    entered = await sales.deals(deals, is_history=True)
    assert {each.outcome for each in entered} == {Outcome.NEW}
    targets = [NewTarget(people[number], None, "signed", first, until, quota) for number, quota in quotas.items()]
    assert {each.outcome for each in await sales.targets(targets)} == {Outcome.NEW}
    found = {
        str(number): attainment(Decimal(str(signed)), Decimal(str(target)))
        for number, signed, target in await company.rows(
            "SELECT e.number, sum(p.amount_minor), t.amount_minor FROM target t"
            " JOIN employee e ON e.tenant_id = t.tenant_id AND e.id = t.employee_id"
            " JOIN performance_line p ON p.tenant_id = t.tenant_id AND p.employee_id = t.employee_id"
            " AND p.metric = t.metric AND p.happened_on >= t.period_first AND p.happened_on < t.period_until"
            " GROUP BY e.number, t.amount_minor"
        )
    }
    assert shown_attainment(found["P275"]) == Decimal("0.8304")
    assert shown_attainment(found["P280"]) == Decimal("1.1596")
    assert [number for number, value in found.items() if value >= 1] == ["P280"]
    assert (round(min(found.values()), 2), round(max(found.values()), 2)) == (Decimal("0.72"), Decimal("1.16"))
