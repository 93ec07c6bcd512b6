"""`saas tenant …`: companies made, listed, stopped, resumed and exported, each step kept with who and why."""

from __future__ import annotations

import hashlib
import json
import secrets
from pathlib import Path
from uuid import UUID

from tests.cli.conftest import PASSWORD, Administrator, Ended, Operator


def listed(operator: Operator) -> dict[str, dict[str, str]]:
    """The directory by id."""
    return {row["id"]: row for row in operator.saas("tenant", "list", "--json").json}


def test_list_of_people_and_of_programs(operator: Operator, company: str) -> None:
    row = listed(operator)[company]
    assert (row["name"], row["status"], row["preset"]) == ("晨光销售", "active", "general")
    table = operator.saas("tenant", "list")
    assert (table.status, table.err) == (0, "")
    assert table.out.splitlines()[0].split() == ["id", "name", "status", "preset", "created"]
    assert f"{company}  晨光销售  active  general  {row['created_at'][:10]}" in table.out.splitlines()


def test_a_key_makes_one_company(operator: Operator) -> None:
    address, before = f"{secrets.token_hex(6)}@example.com", len(listed(operator))
    command = ("tenant", "create", "远山贸易", "--owner-name", "陈晓", "--owner-email", address, "--preset", "realty")
    key = ("--key", secrets.token_hex(8), "--password-stdin")
    first = operator.saas(*command, *key, stdin=f"{PASSWORD}\n")
    again = operator.saas(*command, *key, stdin=f"{PASSWORD}\n")
    printed = operator.saas(*command, *key, "--json", stdin=f"{PASSWORD}\n")
    new = next(row for row in listed(operator).values() if f" {row['id']}." in first.out)
    assert first == Ended(0, f"远山贸易 is made: {new['id']}. {address} signs in as its owner.\n", "")
    assert again == Ended(0, f"远山贸易 was there already: {new['id']}. {address} signs in as its owner.\n", "")
    assert (printed.status, printed.err, printed.json["tenant"], printed.json["replayed"]) == (0, "", new["id"], True)
    assert (new["preset"], len(listed(operator))) == ("realty", before + 1)


def test_no_terminal_no_question(operator: Operator) -> None:
    before = len(listed(operator))
    ended = operator.saas("tenant", "create", "无名", "--owner-name", "陈晓", "--owner-email", "x@example.com")
    assert ended == Ended(
        1, "", "saas: The owner's password is asked for on a terminal, and this is none. --password-stdin reads it.\n"
    )
    assert len(listed(operator)) == before


def test_unknown_preset(operator: Operator) -> None:
    before = len(listed(operator))
    ended = operator.saas(
        *("tenant", "create", "无名", "--owner-name", "陈晓", "--owner-email", "x@example.com", "--preset", "bakery"),
        *("--password-stdin",),
        stdin=f"{PASSWORD}\n",
    )
    assert (ended.status, ended.out) == (1, "")
    assert "bakery" in ended.err
    assert "general, realty, insurance, software" in ended.err
    assert ended.err.count("\n") == 1
    assert len(listed(operator)) == before


async def test_suspend_and_resume_keep_who_and_why(
    operator: Operator, company: str, administrator: Administrator
) -> None:
    suspended = operator.saas("tenant", "suspend", company, "--reason", "invoice 4711 unpaid")
    assert suspended == Ended(0, "晨光销售 is suspended.\n", "")
    assert listed(operator)[company]["status"] == "suspended"
    twice = operator.saas("tenant", "suspend", company, "--reason", "again")
    assert (twice.status, twice.out) == (1, "")
    resumed = operator.saas("tenant", "resume", company, "--reason", "paid", "--operator", "ops@example.com")
    assert resumed == Ended(0, "晨光销售 is active.\n", "")
    assert listed(operator)[company]["status"] == "active"
    steps = await administrator.fetch(
        "SELECT step, operator, reason FROM platform.tenant_event WHERE tenant_id = $1 ORDER BY at", UUID(company)
    )
    assert [tuple(step) for step in steps] == [
        ("created", "sign-up", ""),
        ("suspended", "mei", "invoice 4711 unpaid"),
        ("resumed", "ops@example.com", "paid"),
    ]


def test_a_step_needs_its_reason(operator: Operator, company: str) -> None:
    ended = operator.saas("tenant", "suspend", company)
    assert ended == Ended(2, "", "saas: Missing option '--reason'. `saas tenant suspend --help` shows how.\n")
    assert listed(operator)[company]["status"] == "active"


def test_export_is_whole_and_proven(operator: Operator, company: str, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    ended = operator.saas("tenant", "export", company, str(folder), "--reason", "the owner asked", "--json")
    assert (ended.status, ended.err) == (0, "")
    manifest = json.loads((folder / "manifest.json").read_text())
    assert ended.json == manifest
    assert manifest["tenant_id"] == company
    rows = {table["table"]: table["rows"] for table in manifest["tables"]}
    assert (rows["employee"], rows["department"], rows["audit_entry"], rows["customer"]) == (1, 1, 4, 0)
    for table in manifest["tables"]:
        content = (folder / table["file"]).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), content.count(b"\n")) == (table["sha256"], table["rows"])


def test_export_mixes_with_nothing(operator: Operator, company: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    ended = operator.saas("tenant", "export", company, str(tmp_path), "--reason", "the owner asked")
    assert (ended.status, ended.out, ended.err.count("\n")) == (1, "", 1)
    assert str(tmp_path) in ended.err
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]
