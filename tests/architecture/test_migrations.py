"""Models and migrations say the same: the ORM's own tool would write no further migration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tortoise.context import TortoiseContext
from tortoise.migrations.autodetector import MigrationAutodetector
from tortoise.migrations.operations import CreateModel, Operation

from saas.main import MIGRATIONS, MODEL_APPS


async def lacking(apps: dict[str, dict[str, Any]]) -> dict[str, list[Operation]]:
    """What the migrations of each app lack."""
    async with TortoiseContext() as context:
        await context.init(config=MIGRATIONS, init_connections=False)
        assert context.apps is not None
        changes = await MigrationAutodetector(context.apps, apps).changes()
    return {writer.app_label: list(writer.operations) for writer in changes}


async def test_no_migration_is_missing() -> None:
    assert await lacking(MIGRATIONS["apps"]) == {}
    assert set(MIGRATIONS["apps"]) == set(MODEL_APPS)


async def test_a_missing_migration_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "no_migrations_yet"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    lacks = await lacking({"sales": {**MIGRATIONS["apps"]["sales"], "migrations": package.name}})
    assert {each.name for each in lacks["sales"] if isinstance(each, CreateModel)} == {
        "FollowUp",
        "OpportunityStage",
        "Opportunity",
        "Deal",
        "Collection",
        "PerformanceCredit",
        "PerformanceLine",
        "Target",
    }
