"""Imports over HTTP: upload, stage, preview, commit, take back, the error file; and who may not."""

from __future__ import annotations

import io
import secrets
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx2
import pytest
from python_calamine import CalamineWorkbook

from saas.exchange import carry_out
from saas.kernel import new_id, parse_public_id
from saas.main import importer
from tests.api.rooms.conftest import Cast
from tests.api.rooms.web import USER_ERRORS, Person
from tests.rooms.imports.toy import csv_of

COUNTS = "rowCount newCount changedCount unchangedCount failedCount appliedCount undoneCount"
BATCH = f"batch {{ id state planHash {COUNTS} parts(first: 9) {{ nodes {{ sheet kind }} }} }}"
STAGE = f"mutation ($input: ImportStageInput!) {{ importStage(input: $input) {{ {BATCH} {USER_ERRORS} }} }}"
PREVIEW = f"mutation ($input: ImportPreviewInput!) {{ importPreview(input: $input) {{ {BATCH} {USER_ERRORS} }} }}"
COMMIT = f"mutation ($input: ImportCommitInput!) {{ importCommit(input: $input) {{ {BATCH} {USER_ERRORS} }} }}"
UNDO = f"mutation ($input: ImportInput!) {{ importUndo(input: $input) {{ {BATCH} {USER_ERRORS} }} }}"
CANCEL = f"mutation ($input: ImportInput!) {{ importCancel(input: $input) {{ {BATCH} {USER_ERRORS} }} }}"
READ = f"""query ($id: ID!) {{ importBatch(id: $id) {{ state planHash {COUNTS}
  parts(first: 9) {{ nodes {{ kind headers(first: 50) {{ nodes {{ header columnKey }} }} }} }}
  remarks(first: 50) {{ totalCount nodes {{ rowNumber columnTitle severity message }} }} }} }}"""
HEADER = "客户编号,客户名称,手机,负责人"


def listed(*rows: tuple[object, ...]) -> bytes:
    """A list of customers."""
    return csv_of(rows, HEADER)


def fresh(count: int) -> list[tuple[object, ...]]:
    """Customers that no test has entered."""
    mark = secrets.token_hex(4)
    return [(f"{mark}-{n}", f"客户{mark}{n}有限公司", "", "") for n in range(count)]


async def upload(person: Person, content: bytes, **headers: str) -> httpx2.Response:
    """POST /files."""
    given = {"Authorization": f"Bearer {person.token}", "Content-Type": "text/csv", "Accept-Language": person.locale}
    return await person.web.client.post("/files", content=content, headers={**given, **headers})


async def download(person: Person, batch: str) -> httpx2.Response:
    """GET /files/ID."""
    headers = {"Authorization": f"Bearer {person.token}", "Accept-Language": person.locale}
    return await person.web.client.get(f"/files/{batch}", headers=headers)


async def staged(person: Person, content: bytes, **more: str) -> str:
    """Upload and stage; the batch's id."""
    answer = await upload(person, content)
    assert answer.status_code == 201, answer.text
    payload = await person.done(STAGE, file=answer.json()["file"]["id"], filename="客户.csv", **more)
    assert payload["batch"]["state"] == "STAGED"
    batch_id: str = payload["batch"]["id"]
    return batch_id


async def worked_off(person: Person, batch: str) -> dict[str, Any]:
    """What the worker does; the batch as it is read then."""
    installation = person.web.installation
    await carry_out(
        installation.database,
        importer(installation),
        tenant_id=UUID(hex=person.company_id.partition("_")[2]),
        batch_id=parse_public_id(batch, prefix="imp"),
    )
    found: dict[str, Any] = (await person.data(READ, id=batch))["importBatch"]
    return found


async def previewed(person: Person, content: bytes, *, mode: str = "SKIP_BAD_ROWS", **more: Any) -> dict[str, Any]:
    """Upload, stage, preview; the batch with its id."""
    batch = await staged(person, content)
    payload = await person.done(PREVIEW, batch=batch, mode=mode, onChange="REFUSE", **more)
    assert payload["batch"]["state"] == "PREVIEWING"
    return {"id": batch, **await worked_off(person, batch)}


async def committed(person: Person, batch: dict[str, Any]) -> dict[str, Any]:
    """Commit to the end."""
    await person.done(COMMIT, batch=batch["id"], planHash=batch["planHash"])
    return await worked_off(person, batch["id"])


def counts(batch: dict[str, Any]) -> dict[str, int]:
    """The counts that are not 0."""
    return {name.removesuffix("Count"): n for name, n in batch.items() if name.endswith("Count") and n}


async def test_a_preview_begins_with_the_staging_where_the_mapping_is_whole(cast: Cast) -> None:
    for content, state in ((listed(*fresh(1)), "PREVIEWING"), (csv_of([("x", "y")], "客户编号,备注栏"), "STAGED")):
        answer = await upload(cast.owner, content)
        given = {"file": answer.json()["file"]["id"], "filename": "客户.csv", "kind": "customers"}
        payload = await cast.owner.done(STAGE, **given, previewMode="REJECT_ALL")
        assert payload["batch"]["state"] == state
    seen = await worked_off(cast.owner, payload["batch"]["id"])
    assert (seen["state"], seen["planHash"]) == ("STAGED", None)


async def test_a_list_is_staged_previewed_committed_and_taken_back(cast: Cast) -> None:
    content = listed(*fresh(3))
    batch = await previewed(cast.owner, content)
    assert (batch["state"], counts(batch)) == ("PREVIEWED", {"row": 3, "new": 3})
    (part,) = batch["parts"]["nodes"]
    assert part["kind"] == "customers"
    assert [each["columnKey"] for each in part["headers"]["nodes"]] == ["external_key", "name", "phone", "owner"]
    ended = await committed(cast.owner, batch)
    assert (ended["state"], ended["appliedCount"]) == ("COMMITTED", 3)
    again = await previewed(cast.owner, content)
    assert counts(again) == {"row": 3, "unchanged": 3}
    await cast.owner.done(UNDO, batch=batch["id"])
    undone = await worked_off(cast.owner, batch["id"])
    assert (undone["state"], undone["undoneCount"]) == ("UNDONE", 3)
    assert counts(await previewed(cast.owner, content)) == {"row": 3, "new": 3}


async def test_the_error_file_is_corrected_and_uploaded_again(cast: Cast) -> None:
    good, bad = fresh(2)
    batch = await previewed(cast.owner, listed(good, (*bad[:2], "12", "")))
    assert counts(batch) == {"row": 2, "new": 1, "failed": 1}
    (remark,) = batch["remarks"]["nodes"]
    assert (remark["rowNumber"], remark["columnTitle"], remark["severity"]) == (3, "手机", "ERROR")
    await committed(cast.owner, batch)
    answer = await download(cast.owner, batch["id"])
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/vnd.openxmlformats")
    header, row = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    assert header[:4] == HEADER.split(",")
    assert header[-1] in {"错误原因", "Error"}
    assert row[:3] == [*bad[:2], "12"]
    again = await previewed(cast.owner, answer.content)
    assert counts(again) == {"row": 1, "failed": 1}
    corrected = await previewed(cast.owner, listed((*bad[:2], "13800001234", "")))
    assert counts(corrected) == {"row": 1, "new": 1}


async def test_reject_all_writes_nothing_and_says_how_many_rows_failed(cast: Cast) -> None:
    good, bad = fresh(2)
    batch = await previewed(cast.owner, listed(good, (*bad[:2], "12", "")), mode="REJECT_ALL")
    refusal = await cast.owner.refused(COMMIT, batch=batch["id"], planHash=batch["planHash"])
    assert (refusal["code"], refusal["messageKey"]) == ("RULE_REFUSED", "exchange.rows_failed")
    assert counts(await previewed(cast.owner, listed(good))) == {"row": 1, "new": 1}


async def test_a_commit_of_another_preview_is_refused(cast: Cast) -> None:
    batch = await previewed(cast.owner, listed(*fresh(1)))
    refusal = await cast.owner.refused(COMMIT, batch=batch["id"], planHash="0" * 64)
    assert (refusal["code"], refusal["field"]) == ("PLAN_CHANGED", ["input", "planHash"])


async def test_a_mapping_can_be_corrected(cast: Cast) -> None:
    key, name, *_ = fresh(1)[0]
    content = csv_of([(key, "x", name)], "客户编号,客户名称,真名")
    batch = await staged(cast.owner, content)
    sheet = "客户"
    mapping = [{"sheet": sheet, "header": "真名", "column": "name"}, {"sheet": sheet, "header": "客户名称"}]
    await cast.owner.done(PREVIEW, batch=batch, mode="REJECT_ALL", onChange="REFUSE", mapping=mapping)
    found = await worked_off(cast.owner, batch)
    headers = found["parts"]["nodes"][0]["headers"]["nodes"]
    assert [each["columnKey"] for each in headers] == ["external_key", None, "name"]
    wrong = [{"sheet": sheet, "header": "没有", "column": "name"}]
    refusal = await cast.owner.refused(PREVIEW, batch=batch, mode="REJECT_ALL", onChange="REFUSE", mapping=wrong)
    assert refusal["messageKey"] == "exchange.header_unknown"


async def test_a_cancelled_import_can_not_be_committed(cast: Cast) -> None:
    batch = await previewed(cast.owner, listed(*fresh(1)))
    payload = await cast.owner.done(CANCEL, batch=batch["id"])
    assert payload["batch"]["state"] == "CANCELLED"
    refusal = await cast.owner.refused(COMMIT, batch=batch["id"], planHash=batch["planHash"])
    assert refusal["messageKey"] == "exchange.no_commit_now"


async def test_kinds_are_listed_in_the_callers_language(cast: Cast) -> None:
    data = await cast.owner.speaking("zh-CN").data("{ importKinds { name title columns { key title isRequired } } }")
    kinds = {kind["name"]: kind for kind in data["importKinds"]}
    assert list(kinds)[:3] == ["employees", "customers", "ownerships"]
    assert kinds["customers"]["title"] == "客户"
    assert {"key": "name", "title": "客户名称", "isRequired": True} in kinds["customers"]["columns"]


async def test_who_may_not_import_gets_nothing(cast: Cast) -> None:
    content = listed(*fresh(1))
    for person, status, code in (
        (cast.nobody, 401, "UNAUTHENTICATED"),
        (cast.owner.bearing("nonsense"), 401, "UNAUTHENTICATED"),
        (cast.rep, 403, "FORBIDDEN"),
    ):
        answer = await upload(person, content)
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (status, code)
    batch = await previewed(cast.owner, content)
    for person, status in ((cast.nobody, 401), (cast.rep, 403), (cast.other, 404)):
        assert (await download(person, batch["id"])).status_code == status
    refusal = await cast.other.refused(COMMIT, batch=batch["id"], planHash=batch["planHash"])
    assert refusal["code"] == "NOT_FOUND"
    unknown = await cast.other.refused(COMMIT, batch=f"imp_{new_id().hex}", planHash=batch["planHash"])
    assert {**unknown, "args": []} == {**refusal, "args": []}
    assert (await download(cast.owner, "imp_nonsense")).status_code == 400


async def test_another_companys_file_can_not_be_staged(cast: Cast) -> None:
    file = (await upload(cast.owner, listed(*fresh(1)))).json()["file"]["id"]
    refusal = await cast.other.refused(STAGE, file=file, filename="客户.csv")
    assert refusal["messageKey"] == "exchange.file_gone"


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"", "exchange.file_empty"),
        (b"%PDF-1.7 nothing of use", "exchange.not_a_sheet"),
        (b"PK\x03\x04 cut short", "exchange.archive_broken"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "exchange.old_excel_or_encrypted"),
        (b"alpha,beta\n1,2\n", "exchange.header_missing"),
        ("客户名称,客户名称\n甲,乙\n".encode(), "exchange.header_twice"),
        (b"\xff\xfe\xff\xff\xff", "exchange.encoding_broken"),
    ],
)
async def test_a_file_that_is_no_list_is_refused_with_its_reason(cast: Cast, content: bytes, key: str) -> None:
    answer = await upload(cast.owner, content)
    assert answer.status_code == 201
    refusal = await cast.owner.refused(STAGE, file=answer.json()["file"]["id"], filename="客户.csv")
    assert (refusal["messageKey"], bool(refusal["hint"])) == (key, True)


async def test_a_file_of_more_than_100_megabytes_is_refused_and_not_kept(cast: Cast) -> None:
    async def content() -> AsyncIterator[bytes]:
        for _ in range(101):
            yield b"x" * (1 << 20)

    headers = {"Authorization": f"Bearer {cast.owner.token}"}
    answer = await cast.owner.web.client.post("/files", content=content(), headers=headers)
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["extensions"]["messageKey"]) == (413, "exchange.file_too_large")
    folder = cast.owner.web.installation.settings.data / "uploads" / cast.owner.company_id.partition("_")[2]
    assert [path for path in folder.glob("*") if path.stat().st_size > 1 << 20] == []


async def test_a_form_is_no_upload(cast: Cast) -> None:
    answer = await upload(cast.owner, b"--x--", **{"Content-Type": "multipart/form-data; boundary=x"})
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["extensions"]["code"]) == (400, "BAD_USER_INPUT")


async def test_formulas_are_kept_as_text_and_written_as_text(cast: Cast) -> None:
    key, _, *_ = fresh(1)[0]
    name = f"=cmd|' /C calc'!{key}"
    batch = await previewed(cast.owner, listed((key, name, "12", "")))
    answer = await download(cast.owner, batch["id"])
    rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    assert rows[1][1] == name
