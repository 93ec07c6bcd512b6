"""`saas import` and `saas import-crm`: previews that write nothing, commits, wrong rows by file, and exit statuses."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

from saas.exchange import open_sheets
from tests.cli.conftest import Administrator, Ended, Operator

LIST = "客户编号,客户名称,手机\nC1,晨光建材有限公司,13900000001\nC2,远山物流有限公司,13900000002\n"
WRONG = "客户编号,客户名称,手机\nC1,晨光建材有限公司,13900000001\nC2,,13900000002\nC3,远山物流有限公司,一二三\n"
SENTENCE = "Nothing is written; --commit writes what the preview shows.\n"
REFUSED = (
    "saas: 2 rows have errors, and all or none were to be taken: nothing is written."
    " Correct them, or leave them out by --mode skip-bad-rows.\n"
)


async def customers(administrator: Administrator, company: str) -> list[tuple[str, str]]:
    rows = await administrator.fetch(
        "SELECT external_key, name FROM customer WHERE tenant_id = $1 ORDER BY external_key", UUID(company)
    )
    return [(row["external_key"], row["name"]) for row in rows]


def written(folder: Path, text: str) -> str:
    path = folder / "客户.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def counted(ended: Ended) -> dict[str, int]:
    """The counts that are not zero."""
    return {name: count for name, count in ended.json["counts"].items() if count}


async def test_a_list_is_shown_then_written(
    operator: Operator, company: str, administrator: Administrator, tmp_path: Path
) -> None:
    command = ("import", "customers", written(tmp_path, LIST), "--tenant", company)
    shown = operator.saas(*command)
    assert (shown.status, shown.err) == (0, "")
    head, row, sentence = (line.split() for line in shown.out.splitlines())
    assert dict(zip(head, row, strict=True)) == {
        "sheet": "客户",
        "kind": "customers",
        "row": "2",
        "new": "2",
        "changed": "0",
        "unchanged": "0",
        "duplicate": "0",
        "failed": "0",
        "applied": "0",
    }
    assert " ".join(sentence) == SENTENCE.strip()
    assert await customers(administrator, company) == []
    done = operator.saas(*command, "--commit", "--json")
    assert (done.status, done.err, done.json["state"]) == (0, "", "committed")
    assert counted(done) == {"row": 2, "done": 2, "new": 2, "applied": 2}
    assert await customers(administrator, company) == [("C1", "晨光建材有限公司"), ("C2", "远山物流有限公司")]


async def test_wrong_rows_stop_all_or_are_left_out_and_told_in_a_workbook(
    operator: Operator, company: str, administrator: Administrator, tmp_path: Path
) -> None:
    errors = tmp_path / "wrong.xlsx"
    command = ("import", "customers", written(tmp_path, WRONG), "--tenant", company, "--commit")
    refused = operator.saas(*command, "--errors", str(errors))
    assert refused.status == 1
    assert refused.err == f"The failed rows are in {errors}.\n{REFUSED}"
    assert await customers(administrator, company) == []
    with open_sheets(errors, filename="wrong.xlsx") as sheets:
        rows = [row.cells for row in sheets.rows(sheets.names[0])]
    assert [row[:3] for row in rows] == [
        ["客户编号", "客户名称", "手机"],
        ["C2", None, "13900000002"],
        ["C3", "远山物流有限公司", "一二三"],
    ]
    assert all(isinstance(row[3], str) and row[3] for row in rows)
    left_out = operator.saas(*command, "--mode", "skip-bad-rows", "--json")
    assert (left_out.status, left_out.json["state"]) == (0, "committed")
    assert counted(left_out) == {"row": 3, "done": 3, "new": 1, "failed": 2, "applied": 1}
    assert [(each["row"], each["severity"]) for each in left_out.json["remarks"]] == [(3, "error"), (4, "error")]
    assert await customers(administrator, company) == [("C1", "晨光建材有限公司")]


async def test_an_export_comes_in_by_a_mapping_of_ones_own(
    operator: Operator, company: str, administrator: Administrator, tmp_path: Path
) -> None:
    (tmp_path / "accounts.csv").write_text("id,label\nA1,Acme\nA2,Globex\n", encoding="utf-8")
    recipe = tmp_path / "ours.json"
    columns = {"external_key": {"from": "id"}, "name": {"from": "label"}}
    recipe.write_text(
        json.dumps({"title": "Ours", "sheets": [{"kind": "customers", "file": "accounts.csv", "columns": columns}]})
    )
    command = ("import-crm", str(tmp_path), "--tenant", company, "--mapping", str(recipe))
    shown = operator.saas(*command, "--preview")
    assert (shown.status, shown.out.splitlines()[-1]) == (0, SENTENCE.strip())
    assert await customers(administrator, company) == []
    done = operator.saas(*command, "--commit")
    assert (done.status, done.err, done.out.splitlines()[-1]) == (0, "", "Everything is written.")
    assert await customers(administrator, company) == [("A1", "Acme"), ("A2", "Globex")]


async def test_what_can_not_be_begun_says_why_and_leaves_nothing(
    operator: Operator, company: str, administrator: Administrator, tmp_path: Path
) -> None:
    sheet = written(tmp_path, LIST)
    (tmp_path / "list.json").write_text("[]")
    commands = {
        ("customers", sheet): 2,  # no company is named
        ("customers", str(tmp_path / "none.csv"), "--tenant", company): 1,
        ("customers", sheet, "--tenant", company, "--as", "nobody@example.com"): 1,
        ("customers", sheet, "--tenant", company, "--mapping", str(tmp_path / "list.json")): 1,
        ("customers", sheet, "--tenant", company, "--mode", "some"): 2,
        ("birds", sheet, "--tenant", company): 1,
    }
    for arguments, status in commands.items():
        ended = operator.saas("import", *arguments, "--commit")
        assert (ended.status, ended.out) == (status, ""), (arguments, ended)
        assert ended.err, arguments
    missing = operator.saas("import-crm", str(tmp_path), "--tenant", company, "--mapping", "crm_sales_opportunities")
    assert missing.status == 1
    assert "sales_teams.csv" in missing.err
    rows = "SELECT count(*) FROM import_batch WHERE tenant_id = $1"
    assert await administrator.fetchval(rows, UUID(company)) == 0
