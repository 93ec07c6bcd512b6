"""Models and migrations say the same: the ORM's own tool would write no further migration."""

from __future__ import annotations

from typing import Any

from tortoise.context import TortoiseContext
from tortoise.migrations.autodetector import MigrationAutodetector
from tortoise.migrations.operations import Operation

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
