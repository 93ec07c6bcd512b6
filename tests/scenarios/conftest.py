"""What several scenarios begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rooms.sheets.conftest import Sheets, sheets_of
from tests.staging import Company


@pytest.fixture
def sheets(company: Company, tmp_path: Path) -> Sheets:
    """Imports of a company that this test has for itself, in dollars."""
    made = sheets_of(company, tmp_path)
    made.currency = "USD"
    return made
