"""Real exports brought in as a company brings them: one import from people to targets, to the totals that are known."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from saas.exchange import FileRefused, cook, load_recipe
from saas.exchange.errors import RecipeRefused
from saas.sealing import Place
from tests.rooms.imports.toy import counts
from tests.rooms.sheets.conftest import Sheets, sheets_of
from tests.staging import Company

DATA = Path(os.environ.get("SAAS_TEST_DATA", "."))
needs_data = pytest.mark.skipif("SAAS_TEST_DATA" not in os.environ, reason="SAAS_TEST_DATA names no folder of data")


@pytest.fixture
def sheets(company: Company, tmp_path: Path) -> Sheets:
    """Imports of a company that this test has for itself, in dollars."""
    made = sheets_of(company, tmp_path)
    made.currency = "USD"
    return made


def cooked(sheets: Sheets, recipe: str, folder: str) -> bytes:
    """The workbook that a recipe makes of a folder of data."""
    target = io.BytesIO()
    cook(load_recipe(recipe), DATA / folder, target, kinds=sheets.kinds, locale="en")
    return target.getvalue()


async def imported(sheets: Sheets, book: bytes) -> dict[str, Any]:
    """Preview and commit."""
    batch = await sheets.preview(book, "export.xlsx")
    assert (batch["state"], batch["failed_count"]) == ("previewed", 0), (await sheets.told(batch))[:20]
    ended = await sheets.commit(batch)
    assert ended["state"] == "committed", ended["failure"]
    return ended


@needs_data
async def test_a_crm_folder_comes_in_to_its_published_totals(sheets: Sheets, company: Company) -> None:
    book = cooked(sheets, "crm_sales_opportunities", "crm_sales_opportunities")
    ended = await imported(sheets, book)
    assert counts(ended) == {"row": 13_164, "new": 13_164, "applied": 13_164, "done": 13_164}
    assert await company.rows(
        "SELECT count(*), sum(amount_minor)::bigint, count(*) FILTER (WHERE product = 'GTX Pro'),"
        " count(*) FILTER (WHERE product = 'GTXPro') FROM deal"
    ) == [(4_238, 1_000_553_400, 729, 0)]
    assert await company.rows(
        "SELECT count(*), count(*) FILTER (WHERE customer_id IS NULL), count(*) FILTER (WHERE product = 'GTX Pro')"
        " FROM opportunity"
    ) == [(8_800, 1_425, 1_480)]
    told = await sheets.told(ended)
    assert [key for _, _, key in told] == ["sales.opportunity_without_customer"] * 1_425
    assert await company.value("SELECT count(*) FROM customer") == 85
    await _performance_is_as_published(company)
    await _people_are_as_published(company)
    again = await sheets.preview(book, "export.xlsx")
    assert counts(again) == {"row": 13_164, "unchanged": 13_164, "done": 13_164}, (await sheets.differences(again))[:5]


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


@needs_data
async def test_quotas_are_met_as_the_orders_say(sheets: Sheets, company: Company) -> None:
    await imported(sheets, cooked(sheets, "adventureworks_sales", "adventureworks_sales"))
    met = await company.rows(
        "SELECT e.number, round(sum(l.amount_minor)::numeric / t.amount_minor, 2)::text FROM target t"
        " JOIN employee e ON e.tenant_id = t.tenant_id AND e.id = t.employee_id"
        " JOIN performance_line l ON l.tenant_id = t.tenant_id AND l.employee_id = e.id"
        " AND l.happened_on >= t.period_first AND l.happened_on < t.period_until"
        " WHERE t.period_first = DATE '2011-05-31' GROUP BY e.number, t.amount_minor ORDER BY e.number"
    )
    assert met == [
        ("274", "0.81"),
        ("275", "0.83"),
        ("276", "0.72"),
        ("277", "0.81"),
        ("278", "0.85"),
        ("279", "0.81"),
        ("280", "1.16"),
        ("281", "0.82"),
        ("282", "0.82"),
        ("283", "0.90"),
    ]
    assert await company.value("SELECT count(*) FROM target") == 163
    assert await company.value("SELECT count(*) FROM deal") == 303


@needs_data
@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("customers_utf8bom.csv", "customers_expected.json"),
        ("customers_gbk.csv", "customers_expected.json"),
        ("customers_gb18030_rare_chars.csv", "customers_gb18030_expected.json"),
        ("customers.xlsx", "customers_expected.json"),
    ],
)
async def test_a_chinese_list_comes_in_whatever_its_encoding(
    sheets: Sheets, company: Company, file: str, expected: str
) -> None:
    folder = DATA / "cn_import_samples"
    rows = json.loads((folder / expected).read_text(encoding="utf-8"))
    names = sorted({row["跟进人"] for row in rows})
    await sheets.bring(员工=[["工号", "姓名"], *([f"E{number:02}", name] for number, name in enumerate(names))])
    batch = await sheets.preview((folder / file).read_bytes(), file)
    assert counts(batch) == {"row": 300, "new": 300, "done": 300}, (await sheets.told(batch))[:10]
    assert (await sheets.commit(batch))["applied_count"] == 300
    found = await company.rows(
        "SELECT c.id, c.external_key, c.name, c.industry, c.district_name, c.contact_name, c.phone_sealed, e.name"
        " FROM customer c JOIN employee e ON e.tenant_id = c.tenant_id AND e.id = c.owner_id ORDER BY c.external_key"
    )
    opened = [
        (*row[1:6], company.keyring.open(Place("customer", "phone_sealed", row[0]), row[6]), row[7])  # type: ignore[arg-type]
        for row in found
    ]
    wanted = [
        (
            row["客户编号"],
            row["客户名称"],
            row["行业"],
            "".join(dict.fromkeys((row["省份"], row["城市"], row["区县"]))),
            row["联系人"],
            row["手机"],
            row["跟进人"],
        )
        for row in rows
    ]
    assert opened == wanted
    again = await sheets.preview((folder / file).read_bytes(), file)
    assert counts(again) == {"row": 300, "unchanged": 300, "done": 300}


async def test_a_recipe_that_does_not_fit_says_what_is_missing(sheets: Sheets, tmp_path: Path) -> None:
    recipe = load_recipe("crm_sales_opportunities")
    with pytest.raises(FileRefused) as missing:
        cook(recipe, tmp_path, io.BytesIO(), kinds=sheets.kinds, locale="en")
    assert missing.value.values["file"] == "sales_teams.csv"
    (tmp_path / "sales_teams.csv").write_text("sales_agent,manager\nA,B\n", encoding="utf-8")
    with pytest.raises(RecipeRefused) as lacking:
        cook(recipe, tmp_path, io.BytesIO(), kinds=sheets.kinds, locale="en")
    assert lacking.value.values == {"file": "sales_teams.csv", "headers": "regional_office"}
    for text in ("{", '{"title": "x"}', '{"title": "x", "sheets": [{"kind": "a", "file": "b", "columns": {"c": {}}}]}'):
        (tmp_path / "bad.json").write_text(text, encoding="utf-8")
        with pytest.raises(RecipeRefused):
            load_recipe(str(tmp_path / "bad.json"))
