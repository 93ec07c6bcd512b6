"""From an upload to written rows: what a preview shows is what a commit writes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from saas.access import PermissionMissing
from saas.exchange import BatchState, Mode, OnChange, PlanChanged
from saas.exchange.errors import BatchNotFound, FileRefused, KindUnknown, MappingRefused, RowsRefused, StateRefused
from saas.kernel import AppError
from tests.rooms.imports.conftest import person
from tests.rooms.imports.toy import ALL, OWN, Imports, accounts, counts, csv_of, workbook
from tests.staging import refused


async def test_new_rows_are_shown_then_written(imports: Imports) -> None:
    batch = await imports.preview(csv_of([["A1", "华信", "138 0013 8000", "1,2"], ["A2", "远山", "", "12.3万"]]))
    assert (batch["state"], counts(batch)) == ("previewed", {"row": 2, "new": 1, "failed": 1, "done": 2})
    assert await imports.toys() == []
    batch = await imports.commit(batch)
    assert (batch["state"], batch["applied_count"]) == ("committed", 1)
    assert await imports.toys() == [("A2", "远山", "123000.00", 1)]


async def test_a_second_import_of_the_same_sheet_changes_nothing(imports: Imports) -> None:
    content = csv_of([["A1", "华信", "13800138000", "5"], ["A2", "远山", "", ""]])
    first = await imports.commit(await imports.preview(content))
    before = await imports.toys()
    second = await imports.preview(content)
    assert second["repeats_id"] == first["id"]
    assert counts(second) == {"row": 2, "unchanged": 2, "done": 2}
    assert counts(await imports.commit(second)) == {"row": 2, "unchanged": 2, "done": 2}
    assert await imports.toys() == before
    assert imports.accounts.applied == [2]


async def test_changes_are_shown_field_by_field_and_personal_ones_masked(imports: Imports) -> None:
    await imports.commit(await imports.preview(csv_of([["A1", "华信", "13800138000", "5"]])))
    batch = await imports.preview(csv_of([["A1", "华信建材", "13900139000", "6"]]))
    assert counts(batch) == {"row": 1, "changed": 1, "done": 1}
    found = await imports.fetch(
        "SELECT row_number, key, before, after FROM import_difference d JOIN import_part p ON p.id = d.part_id"
        " WHERE d.tenant_id = $1 AND p.batch_id = $2 ORDER BY key",
        batch["id"],
    )
    assert [tuple(row) for row in found] == [
        (2, "amount", "5.00", "6.00"),
        (2, "name", "华信", "华信建材"),
        (2, "phone", "•••", "•••"),
    ]
    assert (await imports.commit(batch))["applied_count"] == 1
    assert await imports.toys() == [("A1", "华信建材", "6.00", 2)]


async def test_a_hundred_differences_are_kept_and_all_counted(imports: Imports) -> None:
    await imports.commit(await imports.preview(accounts(150, amount="5")))
    batch = await imports.preview(accounts(150, amount="6"))
    assert batch["changed_count"] == 150
    assert len(await imports.fetch("SELECT id FROM import_difference WHERE tenant_id = $1")) == 100


async def test_remarks_name_row_column_and_value(imports: Imports) -> None:
    rows = [
        ["A1", "", "打不通", "5"],
        ["A2", "禁止", "", "1.234,50"],
        ["A2", "禁止", "", "1"],
        ["A3", "x" * 41, "", ""],
    ]
    batch = await imports.preview(csv_of(rows, header="编号,客户名称,手机,金额") + "合计,,,6.00\n".encode())
    assert await imports.remarks(batch["id"]) == [
        (2, "error", "not_a_phone"),
        (2, "error", "value_missing"),
        (3, "error", "comma_ambiguous"),
        (4, "error", "name_forbidden"),
        (5, "error", "text_too_long"),
        (6, "note", "total_row_left_out"),
    ]
    found = await imports.fetch(
        "SELECT column_title, message FROM import_remark WHERE tenant_id = $1 AND batch_id = $2 AND row_number <= 4"
        " ORDER BY row_number, key",
        batch["id"],
    )
    assert [tuple(row) for row in found] == [
        ("手机", "第 2 行“手机”：填写的 3 个字符不是电话号码。"),
        ("客户名称", "第 2 行“客户名称”：必填，但没有填写。"),
        ("金额", "第 3 行“金额”：“1.234,50”中的逗号可能是小数点，也可能是千位分隔符。"),
        ("客户名称", "toy.name_forbidden"),
    ]


async def test_a_row_that_stands_twice_is_taken_once(imports: Imports) -> None:
    rows = [["A1", "华信", "", "5"], ["A2", "远山", "", ""], ["A1", "华信", "", "5.00元"], ["A2", "近水", "", ""]]
    batch = await imports.preview(csv_of(rows))
    assert counts(batch) == {"row": 4, "new": 2, "duplicate": 1, "failed": 1, "done": 4}
    assert await imports.remarks(batch["id"]) == [(4, "warning", "row_repeated"), (5, "error", "value_twice")]
    await imports.commit(batch)
    assert [row[:2] for row in await imports.toys()] == [("A1", "华信"), ("A2", "远山")]


@pytest.mark.usefixtures("chunks_of_a_hundred")
async def test_repeated_rows_are_found_across_chunks(imports: Imports) -> None:
    batch = await imports.preview(accounts(250) + accounts(250).split(b"\n", 1)[1])
    assert counts(batch) == {"row": 500, "new": 250, "duplicate": 250, "done": 500}
    assert imports.accounts.planned == [100, 100, 50]


async def test_columns_that_tell_rows_apart_together(imports: Imports) -> None:
    content = workbook(
        账户=[["编号", "名称"], ["A1", "甲"], ["A2", "乙"]], 订单=[["订单号", "账户编号"], ["1", "A1"], ["1", "A2"]]
    )
    assert counts(await imports.preview(content, "a.xlsx")) == {"row": 4, "new": 4, "done": 4}


async def test_one_bad_row_rejects_all_where_that_was_asked(imports: Imports) -> None:
    batch = await imports.preview(csv_of([["A1", "华信", "", "5"], ["A2", "", "", ""]]), mode=Mode.REJECT_ALL)
    refusal = await refused(imports.ask_commit(batch["id"]))
    assert isinstance(refusal, RowsRefused)
    assert refusal.values == {"failed": 1}
    assert await imports.batch(batch["id"]) == batch
    assert await imports.toys() == []


async def test_the_error_file_is_corrected_and_uploaded_again(imports: Imports) -> None:
    content = workbook(
        客户=[["名单"], ["编号", "名称", "备注", "金额"], ["A1", "甲", "=1+1", "面议"], ["A2", "乙", "", 5]]
    )
    batch = await imports.preview(content, "三月.xlsx")
    await imports.commit(batch)
    file = await imports.error_file(batch["id"])
    again = await imports.preview(file, "错误.xlsx")
    assert counts(again) == {"row": 1, "failed": 1, "done": 1}
    assert (await imports.remarks(again["id"]))[0] == (2, "error", "not_a_number")
    headers = await imports.fetch(
        "SELECT letters, header, key FROM import_header h JOIN import_part p ON p.id = h.part_id"
        " WHERE h.tenant_id = $1 AND p.batch_id = $2 ORDER BY h.place",
        again["id"],
    )
    assert [tuple(row) for row in headers] == [
        ("A", "编号", "ref"),
        ("B", "名称", "name"),
        ("C", "备注", None),
        ("D", "金额", "amount"),
    ]
    assert await imports.toys() == [("A2", "乙", "5.00", 1)]


async def test_a_mapping_is_corrected_and_remembered(imports: Imports) -> None:
    content = csv_of([["A1", "华信", "5"]], header="代码,称呼,金额")
    batch_id = await imports.stage(content)
    refusal = await refused(imports.ask_preview(batch_id))
    assert isinstance(refusal, MappingRefused)
    assert refusal.values == {"columns": "名称"}
    await imports.ask_preview(batch_id, chosen={"客户": {"代码": "ref", "称呼": "name"}})
    await imports.commit(await imports.run(batch_id))
    assert await imports.toys() == [("A1", "华信", "5.00", 1)]
    again = await imports.preview(csv_of([["A2", "远山", "6"]], header="代码,称呼,金额"))
    assert counts(again) == {"row": 1, "new": 1, "done": 1}
    found = await imports.fetch(
        "SELECT header, key, matched_by FROM import_header h JOIN import_part p ON p.id = h.part_id"
        " WHERE h.tenant_id = $1 AND p.batch_id = $2 ORDER BY h.place",
        again["id"],
    )
    assert [tuple(row) for row in found] == [
        ("代码", "ref", "memory"),
        ("称呼", "name", "memory"),
        ("金额", "amount", "memory"),
    ]


async def test_another_preview_with_another_mapping_starts_afresh(imports: Imports) -> None:
    batch = await imports.preview(csv_of([["A1", "华信", "", "x"], ["A2", "远山", "", "y"]]))
    assert batch["failed_count"] == 2
    await imports.ask_preview(batch["id"], chosen={"客户": {"金额": None}}, mode=Mode.SKIP_BAD_ROWS)
    again = await imports.run(batch["id"])
    assert counts(again) == {"row": 2, "new": 2, "done": 2}
    assert again["plan_hash"] != batch["plan_hash"]
    assert await imports.remarks(batch["id"]) == []
    refusal = await refused(imports.ask_commit(batch["id"], batch["plan_hash"]))
    assert isinstance(refusal, PlanChanged)
    assert refusal.key == "exchange.plan_of_other_preview"
    assert await imports.toys() == []


async def test_the_plan_hash_covers_rows_versions_mode_and_mapping(imports: Imports) -> None:
    async def hash_of(content: bytes, **asked: Any) -> str:
        return str((await imports.preview(content, **asked))["plan_hash"])

    base = await hash_of(accounts(3))
    assert await hash_of(accounts(3)) == base
    others = {
        await hash_of(accounts(3, amount="6")),
        await hash_of(accounts(2)),
        await hash_of(accounts(3), mode=Mode.REJECT_ALL),
        await hash_of(accounts(3), on_change=OnChange.SKIP),
        await hash_of(accounts(3), chosen={"客户": {"手机": None}}),
    }
    await imports.commit(await imports.preview(accounts(1)))
    known = await hash_of(accounts(3))
    await imports.touch("A1", "名1")
    others |= {known, await hash_of(accounts(3))}
    assert len(others | {base}) == 8


@pytest.mark.usefixtures("chunks_of_a_hundred")
@pytest.mark.parametrize("rows", [3, 250])
async def test_a_record_that_changed_since_the_preview_stops_the_commit(imports: Imports, rows: int) -> None:
    """A short import is refused at once, a long one in its steps; neither has written a row."""
    await imports.commit(await imports.preview(accounts(rows)))
    batch = await imports.preview(accounts(rows, amount="7"))
    await imports.touch(f"A{rows}", "别人改的")
    before = await imports.toys()
    if rows == 3:
        refusal = await refused(imports.ask_commit(batch["id"]))
        assert isinstance(refusal, PlanChanged)
        assert refusal.values == {"rows": 1, "row": 4}
        assert await imports.batch(batch["id"]) == batch
    else:
        ended = await imports.commit(batch)
        assert (ended["state"], ended["failure_key"], ended["applied_count"]) == ("failed", "exchange.plan_changed", 0)
        assert ended["failure"] == "预览之后有 1 行对应的记录发生变化，最先是第 251 行。"
        await imports.ask_preview(batch["id"])
        assert counts(await imports.run(batch["id"]))["changed"] == rows
    assert await imports.toys() == before


async def test_changed_records_are_passed_over_where_that_was_asked(imports: Imports) -> None:
    await imports.commit(await imports.preview(accounts(3)))
    batch = await imports.preview(accounts(3, amount="7"), on_change=OnChange.SKIP)
    await imports.touch("A2", "别人改的")
    ended = await imports.commit(batch)
    assert (ended["state"], ended["applied_count"], ended["passed_count"]) == ("committed", 2, 1)
    assert await imports.remarks(batch["id"]) == [(3, "warning", "row_passed_over")]
    assert await imports.toys() == [
        ("A1", "名1", "7.00", 2),
        ("A2", "别人改的", "5.00", 2),
        ("A3", "名3", "7.00", 2),
    ]


async def test_sheets_of_several_kinds_are_taken_in_the_order_of_the_kinds(imports: Imports) -> None:
    content = workbook(
        订单=[["订单号", "账户编号"], ["1", "A1"], ["2", "A9"]],
        说明=[["请勿修改"], ["谢谢"]],
        账户=[["编号", "名称"], ["A1", "甲"]],
    )
    batch = await imports.preview(content, "全部.xlsx")
    assert counts(batch) == {"row": 3, "new": 2, "failed": 1, "done": 3}
    parts = await imports.fetch(
        "SELECT sheet, kind, header_row FROM import_part WHERE tenant_id = $1 AND batch_id = $2 ORDER BY place",
        batch["id"],
    )
    assert [tuple(row) for row in parts] == [("账户", "accounts", 1), ("订单", "orders", 1)]
    assert await imports.remarks(batch["id"]) == [(0, "note", "sheet_ignored"), (3, "error", "no_account")]
    assert (await imports.commit(batch))["applied_count"] == 2
    orders = await imports.fetch("SELECT number, account FROM toy_order WHERE tenant_id = $1")
    assert [tuple(row) for row in orders] == [("1", "A1")]


async def test_a_real_list_is_the_same_in_every_encoding(imports: Imports) -> None:
    folder = os.environ.get("SAAS_TEST_DATA")
    if not folder:
        pytest.skip("SAAS_TEST_DATA names no folder")
    samples = Path(folder) / "cn_import_samples"
    first = await imports.preview((samples / "customers.xlsx").read_bytes(), "customers.xlsx")
    assert counts(await imports.commit(first)) == {"row": 300, "new": 300, "applied": 300, "done": 300}
    total = await imports.fetch("SELECT sum(amount)::text AS total FROM toy_account WHERE tenant_id = $1")
    assert total[0]["total"] == "195133166.63"
    for name, encoding in (("customers_utf8bom.csv", "UTF-8 with BOM"), ("customers_gbk.csv", "GBK")):
        batch = await imports.preview((samples / name).read_bytes(), name)
        assert (batch["encoding"], counts(batch)) == (encoding, {"row": 300, "unchanged": 300, "done": 300})
    rare = await imports.preview((samples / "customers_gb18030_rare_chars.csv").read_bytes(), "rare.csv")
    assert (rare["encoding"], rare["unchanged_count"] + rare["changed_count"]) == ("GB18030", 300)
    assert 0 < rare["changed_count"] <= 6


async def test_staged_rows_lie_sealed_and_the_file_is_gone_once_they_do(imports: Imports) -> None:
    batch_id = await imports.stage(csv_of([["A1", "华信", "13800138000", "5"]]))
    folder = imports.files._folder / imports.tenant_id.hex
    assert len(list(folder.iterdir())) == 1
    await imports.ask_preview(batch_id)
    batch = await imports.run(batch_id)
    assert list(folder.iterdir()) == []
    assert batch["file_id"] is None
    for table in ("import_batch", "import_chunk", "import_row", "import_key", "import_remark", "outbox", "audit_entry"):
        rows = await imports.fetch(f"SELECT t::text AS line FROM {table} t WHERE tenant_id = $1")
        assert not any("13800138000" in row["line"] for row in rows)


async def test_a_file_that_is_no_sheet_is_removed_at_once(imports: Imports) -> None:
    refusal = await refused(imports.stage(b"%PDF-1.7"))
    assert isinstance(refusal, FileRefused)
    assert list((imports.files._folder / imports.tenant_id.hex).iterdir()) == []
    assert await imports.fetch("SELECT id FROM import_batch WHERE tenant_id = $1") == []


async def test_a_workbook_of_too_many_sheets_is_refused(imports: Imports) -> None:
    pages: dict[str, list[list[object]]] = {f"表{n}": [["名称"], ["甲"]] for n in range(51)}
    refusal = await refused(imports.stage(workbook(**pages), "a.xlsx"))
    assert (refusal.key, refusal.values) == ("exchange.too_many_sheets", {"count": 51, "most": 50})


async def test_a_sheet_without_rows_fails_and_says_why(imports: Imports) -> None:
    batch = await imports.preview("编号,名称\n\n合计,5".encode())
    assert (batch["state"], batch["failure_key"]) == ("failed", "exchange.no_rows")


async def test_an_unknown_kind_is_refused(imports: Imports) -> None:
    refusal = await refused(imports.stage(accounts(1), kind="salaries"))
    assert isinstance(refusal, KindUnknown)
    assert refusal.values == {"kind": "salaries", "known": "accounts, orders"}


async def test_entries_tell_who_did_what(imports: Imports) -> None:
    batch = await imports.commit(await imports.preview(accounts(2)))
    await imports.error_file(batch["id"])
    await imports.undo(batch)
    rows = await imports.fetch(
        "SELECT action, changes::text AS changes FROM audit_entry WHERE tenant_id = $1 AND object_id = $2 ORDER BY id",
        batch["id"],
    )
    assert [row["action"] for row in rows] == [
        "import.staged",
        "import.commit_begun",
        "import.committed",
        "import.error_file_read",
        "import.undo_begun",
        "import.undone",
    ]
    assert rows[2]["changes"] == '{"passed_count": [null, 0], "applied_count": [null, 2]}'
    assert rows[5]["changes"] == '{"kept_count": [null, 0], "undone_count": [null, 2]}'


@pytest.mark.parametrize("permission", ["import:preview", "toy:write"])
async def test_nobody_stages_without_the_permissions(imports: Imports, permission: str) -> None:
    lesser = type(ALL)("less", permissions=ALL.permissions - {permission}, scopes=ALL.scopes)
    refusal = await refused(imports.as_(imports.actor, lesser).stage(accounts(1)))
    assert isinstance(refusal, PermissionMissing)
    assert refusal.values["permission"] == permission
    assert await imports.fetch("SELECT id FROM import_batch WHERE tenant_id = $1") == []


@pytest.mark.parametrize("permission", ["import:commit", "toy:write"])
async def test_nobody_commits_without_the_permissions(imports: Imports, permission: str) -> None:
    batch = await imports.preview(accounts(1))
    lesser = type(ALL)("less", permissions=ALL.permissions - {permission}, scopes=ALL.scopes)
    refusal = await refused(imports.as_(imports.actor, lesser).ask_commit(batch["id"]))
    assert isinstance(refusal, PermissionMissing)
    assert await imports.batch(batch["id"]) == batch


async def test_a_right_that_is_taken_away_meanwhile_stops_the_steps(imports: Imports) -> None:
    batch = await imports.preview(accounts(1))
    await imports.ask_commit(batch["id"])
    imports.access = type(ALL)("less", permissions=ALL.permissions - {"toy:write"}, scopes=ALL.scopes)
    ended = await imports.run(batch["id"])
    assert (ended["state"], ended["failure_key"]) == ("failed", "access.permission_missing")
    assert await imports.toys() == []


async def test_batches_of_others_and_of_other_companies_are_not_there(imports: Imports, other_imports: Imports) -> None:
    batch = await imports.preview(accounts(1))
    stranger = imports.as_(person(imports.tenant_id), OWN)
    for door in (stranger, other_imports):
        for attempt in (
            door.ask_commit(batch["id"], batch["plan_hash"]),
            door.ask_preview(batch["id"]),
            door.ask_cancel(batch["id"]),
            door.ask_undo(batch["id"]),
            door.error_file(batch["id"]),
        ):
            refusal = await refused(attempt)
            assert isinstance(refusal, BatchNotFound)
            assert (refusal.key, refusal.values) == ("exchange.batch_not_found", {})
    assert await imports.batch(batch["id"]) == batch
    await imports.as_(imports.actor, OWN).ask_commit(batch["id"])


async def test_deeds_that_the_state_does_not_allow_are_refused(imports: Imports) -> None:
    async def refusal_of(attempt: Any) -> AppError:
        refusal = await refused(attempt)
        assert isinstance(refusal, StateRefused)
        return refusal

    batch_id = await imports.stage(accounts(1))
    assert (await refusal_of(imports.ask_commit(batch_id, "x"))).values == {"state": "staged", "applied": 0}
    assert (await refusal_of(imports.ask_undo(batch_id))).key == "exchange.no_undo_now"
    await imports.ask_preview(batch_id)
    assert (await refusal_of(imports.ask_preview(batch_id))).values["state"] == "previewing"
    await imports.commit(await imports.run(batch_id))
    for attempt in (imports.ask_preview(batch_id), imports.ask_commit(batch_id), imports.ask_cancel(batch_id)):
        assert (await refusal_of(attempt)).values == {"state": BatchState.COMMITTED.value, "applied": 1}
    await imports.undo({"id": batch_id})
    assert (await refusal_of(imports.ask_undo(batch_id))).values["state"] == "undone"
