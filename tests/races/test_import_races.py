"""Many ask for the same batch at once: each deed is done once, each row is written once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest_asyncio

from saas.exchange import advance
from saas.exchange.errors import StateRefused
from saas.kernel import AppError, FrozenClock
from tenants import Database
from tests.rooms.imports.conftest import company_that_imports, toy_database  # noqa: F401 (a fixture)
from tests.rooms.imports.toy import Imports, accounts


@pytest_asyncio.fixture(loop_scope="session")
async def imports(toy_database: Database, clock: FrozenClock, tmp_path: Path) -> Imports:  # noqa: F811
    """A company that this test has for itself."""
    return await company_that_imports(toy_database, clock, tmp_path, "晨光销售")


async def test_of_twenty_commits_at_once_exactly_one_is_taken(imports: Imports) -> None:
    batch = await imports.preview(accounts(20))
    answers = await asyncio.gather(*(imports.ask_commit(batch["id"]) for _ in range(20)), return_exceptions=True)
    refusals = [answer for answer in answers if isinstance(answer, AppError)]
    assert answers.count(None) == 1
    assert len(refusals) == 19
    assert {type(each) for each in refusals} == {StateRefused}
    assert (await imports.run(batch["id"]))["applied_count"] == 20
    assert len(await imports.toys()) == 20


async def test_of_twenty_workers_at_one_batch_each_step_is_one_workers(imports: Imports) -> None:
    batch = await imports.preview(accounts(2_000))
    await imports.ask_commit(batch["id"])

    async def work() -> None:
        is_due = True
        while is_due:
            async with imports.database.transaction(imports.tenant_id):
                is_due = await advance(imports.importer, batch["id"])

    await asyncio.gather(*(work() for _ in range(20)))
    ended = await imports.batch(batch["id"])
    assert (ended["state"], ended["applied_count"]) == ("committed", 2_000)
    assert imports.accounts.applied == [1_000] * 2
    assert [row[3] for row in await imports.toys()] == [1] * 2_000


async def test_two_imports_of_one_sheet_at_once_write_each_row_once(imports: Imports) -> None:
    first, second = await imports.preview(accounts(500)), await imports.preview(accounts(500))
    await imports.ask_commit(first["id"])
    await imports.ask_commit(second["id"])
    ended = await asyncio.gather(imports.run(first["id"]), imports.run(second["id"]), return_exceptions=True)
    written = [each for each in ended if isinstance(each, dict) and each["state"] == "committed"]
    assert len(written) == 1
    states = sorted([(await imports.run(each["id"]))["state"] for each in (first, second)])
    assert states == ["committed", "failed"]
    assert [row[3] for row in await imports.toys()] == [1] * 500
