"""Exports of other products, made workbooks of and brought in."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest

from saas.exchange import cook, load_recipe
from tests.rooms.sheets.conftest import Sheets

DATA = Path(os.environ.get("SAAS_TEST_DATA", "."))
needs_data = pytest.mark.skipif("SAAS_TEST_DATA" not in os.environ, reason="SAAS_TEST_DATA names no folder of data")


def cooked(sheets: Sheets, recipe: str, folder: Path) -> bytes:
    """The workbook that a recipe makes of a folder of data."""
    target = io.BytesIO()
    cook(load_recipe(recipe), folder, target, kinds=sheets.kinds, locale="en")
    return target.getvalue()


async def imported(sheets: Sheets, book: bytes) -> dict[str, Any]:
    """Preview and commit."""
    batch = await sheets.preview(book, "export.xlsx")
    assert (batch["state"], batch["failed_count"]) == ("previewed", 0), (await sheets.told(batch))[:20]
    ended = await sheets.commit(batch)
    assert ended["state"] == "committed", ended["failure"]
    return ended
