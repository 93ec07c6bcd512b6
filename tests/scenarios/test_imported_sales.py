"""Real exports brought in as a company brings them: from people to targets, to the totals that are known."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from saas.exchange import FileRefused, cook, load_recipe
from saas.exchange.errors import RecipeRefused
from saas.sealing import Place
from tests.rooms.imports.toy import counts
from tests.rooms.sheets.conftest import Sheets
from tests.scenarios.exports import DATA, cooked, imported, needs_data
from tests.staging import Company


@needs_data
async def test_quotas_are_met_as_the_orders_say(sheets: Sheets, company: Company) -> None:
    await imported(sheets, cooked(sheets, "adventureworks_sales", DATA / "adventureworks_sales"))
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
