"""How far real salespeople came: their quotas of a quarter beside the orders of those days."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from saas.sales import (
    NewDeal,
    NewTarget,
    Outcome,
    attainment,
    shown_attainment,
)
from tests.rooms.selling import Sales
from tests.staging import Company

DATA = Path(os.environ.get("SAAS_TEST_DATA", "."))
pytestmark = pytest.mark.skipif("SAAS_TEST_DATA" not in os.environ, reason="SAAS_TEST_DATA names no folder of data")


def rows_of(*path: str) -> Iterator[dict[str, str]]:
    with DATA.joinpath(*path).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


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
