"""Taking a batch back, stopping it in the middle, going on after a worker died, and what is removed in the end."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from saas.events import Event
from saas.exchange import STEP_FALLEN_DUE, FileRefused, Mode, TakeStep, advance, purge_imports
from saas.exchange.errors import StateRefused
from saas.kernel import new_id
from tests.rooms.imports.toy import Imports, accounts, blocks, counts, csv_of
from tests.staging import refused


async def test_undo_takes_back_what_nobody_has_changed_since(imports: Imports) -> None:
    await imports.commit(await imports.preview(accounts(2, amount="5")))
    batch = await imports.commit(await imports.preview(accounts(4, amount="7")))
    await imports.touch("A2", "别人改的")
    await imports.touch("A4", "也改了")
    ended = await imports.undo(batch)
    assert (ended["state"], ended["undone_count"], ended["kept_count"]) == ("undone", 2, 2)
    assert await imports.remarks(batch["id"]) == [(3, "warning", "changed_since"), (5, "warning", "changed_since")]
    assert await imports.toys() == [
        ("A1", "名1", "5.00", 3),
        ("A2", "别人改的", "7.00", 3),
        ("A4", "也改了", "7.00", 2),
    ]
    still = await imports.fetch(
        "SELECT number FROM import_row WHERE tenant_id = $1 AND applied_at IS NOT NULL AND "
        "part_id IN (SELECT id FROM import_part WHERE batch_id = $2) ORDER BY 1",
        batch["id"],
    )
    assert [row["number"] for row in still] == [3, 5]


@pytest.mark.usefixtures("chunks_of_a_hundred")
async def test_undo_goes_backwards_through_chunks_and_kinds(imports: Imports) -> None:
    batch = await imports.commit(await imports.preview(accounts(210)))
    assert len(await imports.toys()) == 210
    ended = await imports.undo(batch)
    assert counts(ended) == {"row": 210, "new": 210, "applied": 210, "undone": 210, "done": 210}
    assert await imports.toys() == []


async def step(imports: Imports, batch_id: UUID, *, number: int | None = None) -> bool:
    """One step, by a worker that has just started."""
    async with imports.database.transaction(imports.tenant_id):
        return await advance(imports.importer, batch_id, step=number)


@pytest.mark.usefixtures("chunks_of_a_hundred")
async def test_a_killed_worker_loses_the_step_it_was_in_and_nothing_else(imports: Imports) -> None:
    class Killed(BaseException):
        """The process ends here."""

    batch_id = await imports.stage(accounts(300))
    await imports.ask_preview(batch_id)
    batch = await imports.run(batch_id)
    await imports.ask_commit(batch_id)
    for _ in range(3):
        assert await step(imports, batch_id)
    assert await step(imports, batch_id)
    before = await imports.batch(batch_id)
    assert (before["state"], before["phase"], before["applied_count"]) == ("committing", "applying", 100)
    with pytest.raises(Killed):
        async with imports.database.transaction(imports.tenant_id):
            await advance(imports.importer, batch_id)
            raise Killed
    assert await imports.batch(batch_id) == before
    assert len(await imports.toys()) == 100
    ended = await imports.run(batch_id)
    assert (ended["state"], ended["applied_count"]) == ("committed", 300)
    assert [row[3] for row in await imports.toys()] == [1] * 300
    assert batch["row_count"] == 300


@pytest.mark.usefixtures("chunks_of_a_hundred")
async def test_a_step_that_is_told_twice_is_taken_once(imports: Imports) -> None:
    batch_id = await imports.stage(accounts(150))
    await imports.ask_preview(batch_id)
    number = (await imports.batch(batch_id))["step"]
    assert await step(imports, batch_id, number=number)
    after = await imports.batch(batch_id)
    assert not await step(imports, batch_id, number=number)
    assert not await step(imports, batch_id, number=number + 7)
    assert await imports.batch(batch_id) == after


@pytest.mark.usefixtures("chunks_of_a_hundred")
async def test_each_step_makes_the_next_one_due_through_the_outbox(imports: Imports) -> None:
    batch_id = await imports.stage(accounts(150))
    await imports.ask_preview(batch_id)
    take, taken = TakeStep(imports.importer), 0
    while events := await due(imports, batch_id, behind=taken):
        (event,) = events
        async with imports.database.transaction(imports.tenant_id):
            await take(event)
        taken += 1
    assert (await imports.batch(batch_id))["state"] == "previewed"
    assert taken == 3
    topics = await imports.fetch(
        "SELECT topic, payload ->> 'batch_id' AS batch FROM outbox WHERE tenant_id = $1 AND topic <> $2",
        STEP_FALLEN_DUE,
    )
    assert [tuple(row) for row in topics] == [("exchange.import_previewed", str(batch_id))]


async def due(imports: Imports, batch_id: UUID, *, behind: int) -> list[Event]:
    """The steps that were told and not taken yet."""
    rows = await imports.fetch(
        "SELECT id, (payload ->> 'step')::int AS step, created_at FROM outbox WHERE tenant_id = $1 AND topic = $2"
        " AND payload ->> 'batch_id' = $3 ORDER BY step OFFSET $4",
        STEP_FALLEN_DUE,
        str(batch_id),
        behind,
    )
    payload: dict[str, Any] = {"batch_id": str(batch_id)}
    return [
        Event(row["id"], imports.tenant_id, STEP_FALLEN_DUE, {**payload, "step": row["step"]}, row["created_at"], 1)
        for row in rows
    ]


@pytest.mark.usefixtures("chunks_of_a_hundred")
async def test_a_cancelled_commit_stops_between_chunks_and_can_be_taken_back(imports: Imports) -> None:
    batch_id = await imports.stage(accounts(200))
    await imports.ask_preview(batch_id)
    await imports.run(batch_id)
    await imports.ask_commit(batch_id)
    number = (await imports.batch(batch_id))["step"]
    assert await step(imports, batch_id, number=number)
    await imports.ask_cancel(batch_id)
    assert not await step(imports, batch_id, number=number + 1)
    ended = await imports.run(batch_id)
    assert (ended["state"], ended["applied_count"], ended["done_count"]) == ("cancelled", 100, 100)
    assert len(await imports.toys()) == 100
    assert (await imports.undo(ended))["undone_count"] == 100
    assert await imports.toys() == []


async def test_a_cancelled_upload_is_removed(imports: Imports) -> None:
    batch_id = await imports.stage(accounts(1))
    await imports.ask_cancel(batch_id)
    assert list((imports.files._folder / imports.tenant_id.hex).iterdir()) == []
    assert (await imports.batch(batch_id))["state"] == "cancelled"
    assert isinstance(await refused(imports.ask_preview(batch_id)), StateRefused)


@pytest.mark.usefixtures("chunks_of_a_hundred")
async def test_a_refusal_in_a_later_chunk_leaves_the_earlier_ones_and_says_so(imports: Imports) -> None:
    batch = await imports.preview(accounts(200))
    await imports.ask_commit(batch["id"])
    await step(imports, batch["id"])
    await imports.fetch("INSERT INTO toy_account (tenant_id, id, ref, name) VALUES ($1, $2, 'A150', '抢先')", new_id())
    ended = await imports.run(batch["id"])
    assert (ended["state"], ended["failure_key"], ended["applied_count"]) == ("failed", "exchange.plan_changed", 100)
    assert len(await imports.toys()) == 101
    assert (await imports.undo(ended))["undone_count"] == 100
    assert [row[1] for row in await imports.toys()] == ["抢先"]


async def test_rows_and_files_go_after_seven_days_and_the_batch_stays(imports: Imports) -> None:
    content = csv_of([["A1", "华信", "", "面议"], ["A2", "远山", "", ""]])
    batch = await imports.commit(await imports.preview(content))
    abandoned = await imports.stage(accounts(1))
    folder = imports.files._folder / imports.tenant_id.hex
    for path in folder.iterdir():
        at = imports.clock.now().timestamp()
        os.utime(path, (at, at))
    imports.clock.advance(timedelta(days=7))
    assert await purged(imports) == 0
    imports.clock.advance(timedelta(seconds=1))
    assert await purged(imports) == 2
    assert await purged(imports) == 0
    for table in ("import_chunk", "import_row", "import_key", "import_remark", "import_difference", "import_header"):
        assert await imports.fetch(f"SELECT 1 FROM {table} WHERE tenant_id = $1") == []
    assert list(folder.iterdir()) == []
    for attempt in (imports.ask_undo(batch["id"]), imports.error_file(batch["id"]), imports.ask_preview(abandoned)):
        refusal = await refused(attempt)
        assert (refusal.key, refusal.values) == ("exchange.batch_purged", {"days": 7})
    again = await imports.preview(content)
    assert again["repeats_id"] == batch["id"]


async def purged(imports: Imports) -> int:
    async with imports.database.transaction(imports.tenant_id):
        return await purge_imports(files=imports.files, clock=imports.clock)


async def test_a_batch_whose_file_is_gone_fails_and_says_so(imports: Imports) -> None:
    batch_id = await imports.stage(accounts(1))
    for path in (imports.files._folder / imports.tenant_id.hex).iterdir():
        path.unlink()
    await imports.ask_preview(batch_id)
    ended = await imports.run(batch_id)
    assert (ended["state"], ended["failure_key"]) == ("failed", "exchange.file_gone")


async def test_uploads_are_kept_apart_small_and_private(imports: Imports, other_imports: Imports) -> None:
    stored = await imports.files.save(imports.tenant_id, blocks(b"x" * 200_000))
    assert (stored.size, len(stored.sha256)) == (200_000, 64)
    async with imports.files.opened(imports.tenant_id, stored.id) as path:
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert "客户" not in path.name
    refusal = await refused(opened(other_imports, stored.id))
    assert isinstance(refusal, FileRefused)
    refusal = await refused(imports.files.save(imports.tenant_id, blocks(bytes((100 << 20) + 1), 1 << 24)))
    assert refusal.key == "exchange.file_too_large"
    assert [path.stem for path in (imports.files._folder / imports.tenant_id.hex).iterdir()] == [stored.id.hex]


async def opened(imports: Imports, file_id: UUID) -> None:
    async with imports.files.opened(imports.tenant_id, file_id):
        pass


@pytest.mark.usefixtures("chunks_of_a_hundred")
async def test_reading_goes_on_where_the_last_step_ended(imports: Imports) -> None:
    lines = accounts(5_050).decode().splitlines()
    lines.insert(5_001, "合计,,,5.00")
    batch_id = await imports.stage("\n".join(lines).encode())
    await imports.ask_preview(batch_id, mode=Mode.REJECT_ALL)
    assert await step(imports, batch_id)
    half = await imports.batch(batch_id)
    assert (half["phase"], half["row_count"], half["is_read"]) == ("reading", 5_000, False)
    assert await step(imports, batch_id)
    whole = await imports.batch(batch_id)
    assert (whole["phase"], whole["row_count"], whole["is_read"]) == ("checking", 5_050, True)
    assert await imports.remarks(batch_id) == [(5_002, "note", "total_row_left_out")]
    last = await imports.fetch(
        "SELECT number, row_count FROM import_chunk WHERE tenant_id = $1 ORDER BY number DESC LIMIT 1"
    )
    assert [tuple(row) for row in last] == [(50, 50)]


@pytest.mark.usefixtures("chunks_of_a_hundred")
async def test_a_wide_sheet_is_read_in_shorter_steps(imports: Imports) -> None:
    header = ",".join(["编号", "名称", *(f"列{n}" for n in range(298))])
    content = "\n".join([header, *(f"A{n},名{n}{',x' * 298}" for n in range(450))]).encode()
    batch_id = await imports.stage(content)
    await imports.ask_preview(batch_id)
    assert await step(imports, batch_id)
    half = await imports.batch(batch_id)
    assert (half["phase"], half["at_chunk"], half["row_count"]) == ("reading", 4, 400)
    assert (await imports.run(batch_id))["new_count"] == 450
