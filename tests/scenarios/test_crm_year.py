"""A year of a real sales team, brought in once: the totals that are published, and the commission that they give.

8,800 opportunities and what was won of them; the commission is compared with sums that the sheet itself gives, whole
and month by month.
"""

from __future__ import annotations

import csv
import shutil
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from saas.incentives import Measure, Moment, Plan, PlanVersion, Release, Rule, Tiers
from saas.kernel import Period, month_after
from tests.rooms.imports.toy import counts
from tests.rooms.paying import Paying, d
from tests.rooms.sheets.conftest import Sheets
from tests.scenarios.exports import DATA, cooked, imported, needs_data
from tests.staging import Company

FOLDER = "crm_sales_opportunities"
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


@needs_data
async def test_a_year_comes_in_to_its_published_totals_and_pays_its_commission(
    sheets: Sheets, company: Company, tmp_path: Path
) -> None:
    ended = await imported(sheets, cooked(sheets, FOLDER, DATA / FOLDER))
    assert counts(ended) == {"row": 13_164, "new": 13_164, "applied": 13_164, "done": 13_164}
    told = await sheets.told(ended)
    assert [key for _, _, key in told] == ["sales.opportunity_without_customer"] * 1_425
    await _sales_are_as_published(company)
    await _performance_is_as_published(company)
    await _people_are_as_published(company)
    await _its_beginning_again_changes_nothing(sheets, tmp_path)
    await _commission_is_what_the_sheet_gives(company)


async def _its_beginning_again_changes_nothing(sheets: Sheets, folder: Path) -> None:
    """The same people and accounts, and the first 500 lines of the pipeline."""
    shutil.copytree(DATA / FOLDER, folder / FOLDER)
    pipeline = folder / FOLDER / "sales_pipeline.csv"
    lines = pipeline.read_text(encoding="utf-8").splitlines(keepends=True)
    pipeline.write_text("".join(lines[:501]), encoding="utf-8")
    again = await sheets.preview(cooked(sheets, FOLDER, folder / FOLDER), "export.xlsx")
    found = counts(again)
    assert found == {"row": found["row"], "unchanged": found["row"], "done": found["row"]}
    assert found["row"] > 500, (await sheets.differences(again))[:5]


async def _sales_are_as_published(company: Company) -> None:
    assert await company.rows(
        "SELECT count(*), sum(amount_minor)::bigint, count(*) FILTER (WHERE product = 'GTX Pro'),"
        " count(*) FILTER (WHERE product = 'GTXPro') FROM deal"
    ) == [(4_238, 1_000_553_400, 729, 0)]
    assert await company.value("SELECT count(*) FROM opportunity WHERE product = 'GTX Pro'") == 1_480
    assert await company.value("SELECT count(*) FROM customer") == 85
    assert await company.rows(
        "SELECT s.key, count(*), count(*) FILTER (WHERE o.customer_id IS NULL)"
        " FROM opportunity o JOIN opportunity_stage s ON s.tenant_id = o.tenant_id AND s.id = o.stage_id"
        " GROUP BY s.key, s.position ORDER BY s.position"
    ) == [("prospecting", 500, 337), ("engaging", 1_589, 1_088), ("won", 4_238, 0), ("lost", 2_473, 0)]


async def _performance_is_as_published(company: Company) -> None:
    assert await company.rows(
        "SELECT extract(quarter FROM happened_on)::int, sum(amount_minor)::bigint FROM performance_line"
        " GROUP BY 1 ORDER BY 1"
    ) == [(1, 113_467_200), (2, 308_611_100), (3, 298_225_500), (4, 280_249_600)]
    assert await company.rows(
        "SELECT office.name, sum(l.amount_minor)::bigint FROM performance_line l"
        " JOIN department team ON team.tenant_id = l.tenant_id AND team.id = l.department_id"
        " JOIN department office ON office.tenant_id = team.tenant_id AND office.id = team.parent_id"
        " GROUP BY 1 ORDER BY 1"
    ) == [("Central", 334_629_300), ("East", 309_059_400), ("West", 356_864_700)]
    assert await company.rows(
        "SELECT e.name, sum(p.amount_minor)::bigint, count(*) FILTER (WHERE p.amount_minor > 0) -"
        " count(*) FILTER (WHERE p.amount_minor < 0) FROM performance_line p"
        " JOIN employee e ON e.tenant_id = p.tenant_id AND e.id = p.employee_id GROUP BY e.name ORDER BY 2 DESC LIMIT 1"
    ) == [("Darcel Schlecht", 115_321_400, 349)]
    first_days = await company.rows(
        "SELECT count(*) FROM (SELECT customer_id, min(signed_on) AS day FROM deal GROUP BY customer_id) f"
        " JOIN deal d ON d.customer_id = f.customer_id AND d.signed_on = f.day"
    )
    new_lines = await company.rows("SELECT sum(sign(amount_minor))::bigint FROM performance_line WHERE is_new_customer")
    assert new_lines == first_days
    by_manager = await company.rows(
        "SELECT m.name, count(DISTINCT e.id), coalesce(sum(l.amount_minor), 0)::bigint FROM employee e"
        " JOIN employee m ON m.tenant_id = e.tenant_id AND m.id = e.manager_id"
        " LEFT JOIN performance_line l ON l.tenant_id = e.tenant_id AND l.employee_id = e.id GROUP BY 1 ORDER BY 1"
    )
    assert len(by_manager) == 6
    assert sum(int(str(row[2])) for row in by_manager) == 1_000_553_400
    assert sum(int(str(row[1])) for row in by_manager) == 35
    assert (
        await company.value(
            "SELECT count(*) FROM opportunity o JOIN opportunity_stage s ON s.tenant_id = o.tenant_id"
            " AND s.id = o.stage_id WHERE s.kind = 'open' AND EXISTS (SELECT FROM deal d"
            " WHERE d.tenant_id = o.tenant_id AND d.opportunity_id = o.id)"
        )
        == 0
    )
    assert (
        await company.value(
            "SELECT count(*) FROM opportunity o JOIN opportunity_stage s ON s.tenant_id = o.tenant_id"
            " AND s.id = o.stage_id WHERE s.kind = 'open'"
        )
        == 2_089
    )


async def _people_are_as_published(company: Company) -> None:
    """Everybody is employed from the day the data begin, those who sold nothing too."""
    idle = await company.rows(
        "SELECT e.name FROM employee e JOIN employment w ON w.tenant_id = e.tenant_id AND w.employee_id = e.id"
        " WHERE e.position = 'Sales agent' AND w.valid_from = DATE '2016-10-01' AND w.valid_to IS NULL"
        " AND NOT EXISTS (SELECT FROM deal d WHERE d.tenant_id = e.tenant_id AND d.owner_id = e.id) ORDER BY 1"
    )
    assert [name for (name,) in idle] == [
        "Carl Lin",
        "Carol Thompson",
        "Elizabeth Anderson",
        "Mei-Mei Johns",
        "Natalya Ivanova",
    ]
    assert await company.value("SELECT count(*) FROM employee WHERE position = 'Manager'") == 6
    assert await company.value("SELECT count(*) FROM department WHERE name IN ('Central', 'East', 'West')") == 3


def _won() -> Iterator[dict[str, str]]:
    with (DATA / FOLDER / "sales_pipeline.csv").open(encoding="utf-8", newline="") as file:
        yield from (row for row in csv.DictReader(file) if row["deal_stage"] == "Won")


async def _commission_is_what_the_sheet_gives(company: Company) -> None:
    paying, won = Paying.of(company), list(_won())
    totals: dict[tuple[str, date], Decimal] = defaultdict(Decimal)
    for row in won:
        totals[row["sales_agent"], date.fromisoformat(row["close_date"]).replace(day=1)] += Decimal(row["close_value"])
    months = {month: sum(by_hand(total) for (_, of), total in totals.items() if of == month) for _, month in totals}

    plan_id = await paying.in_force(PLAN)
    whole = await paying.calculation(plan_id, DECEMBER)
    assert (whole.people, whole.lines) == (30, 4_238)
    assert whole.earned == whole.payable == sum(months.values())

    month = min(months)
    for _ in range(2):
        done = await paying.settled(plan_id, Period(month, month_after(month)))
        cents = int(months[month] * 100)
        assert (done.earned, done.payable, done.adjustments) == (cents, cents, 0)
        lines = "SELECT sum(amount_minor)::bigint FROM accrual WHERE settlement_id = $1"
        assert await company.value(lines, done.settlement_id) == cents
        month = month_after(month)
    rest = await paying.calculation(plan_id, DECEMBER)
    assert rest.earned == sum(amount for of, amount in months.items() if of >= month)
