"""A company that imports its own sheets: all kinds of the product, on its real tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from saas.access import PERMISSIONS, AccessTable
from saas.exchange import FolderStore, Kinds
from saas.importing import IMPORT_KINDS
from saas.kernel import Catalogue
from saas.main import SPEAKING
from tests.rooms.imports.toy import Imports, counts, workbook
from tests.staging import Company

SEES_ALL = AccessTable(
    "all",
    permissions=PERMISSIONS,
    scopes=dict.fromkeys(("Customer", "Deal", "Opportunity", "ImportBatch"), frozenset({"all"})),
)
CATALOGUE = Catalogue.of(SPEAKING)


@dataclass
class Sheets(Imports):
    """Imports of a company, with all kinds of the product."""

    all_kinds: ClassVar[Kinds] = Kinds(IMPORT_KINDS)

    @property
    def kinds(self) -> Kinds:
        return self.all_kinds

    async def preview_book(self, **sheets: Sequence[Sequence[object]]) -> dict[str, Any]:
        """Upload and preview a workbook of sheets that are named by their kinds."""
        return await self.preview(workbook(**{name: [list(row) for row in rows] for name, rows in sheets.items()}))

    async def bring(self, **sheets: Sequence[Sequence[object]]) -> dict[str, Any]:
        """Preview and commit a workbook of which no row may fail."""
        batch = await self.preview_book(**sheets)
        assert (batch["state"], batch["failed_count"]) == ("previewed", 0), await self.told(batch)
        ended = await self.commit(batch)
        assert ended["state"] == "committed", ended["failure"]
        return ended

    async def told(self, batch: dict[str, Any]) -> list[tuple[int, str, str]]:
        """Row, column and key of what is told of a batch."""
        rows = await self.fetch(
            "SELECT row_number, coalesce(column_title, '') AS title, key FROM import_remark"
            " WHERE tenant_id = $1 AND batch_id = $2 ORDER BY row_number, key",
            batch["id"],
        )
        return [tuple(row) for row in rows]

    async def differences(self, batch: dict[str, Any]) -> list[tuple[object, ...]]:
        """Row, column, before and after of what a batch would change."""
        rows = await self.fetch(
            "SELECT d.row_number, d.key, d.before, d.after FROM import_difference d JOIN import_part p"
            " ON p.tenant_id = d.tenant_id AND p.id = d.part_id WHERE d.tenant_id = $1 AND p.batch_id = $2"
            " ORDER BY p.place, d.row_number, d.key",
            batch["id"],
        )
        return [tuple(row) for row in rows]

    async def outcome(self, **sheets: Sequence[Sequence[object]]) -> dict[str, int]:
        """The counts of a preview."""
        return counts(await self.preview_book(**sheets))


def sheets_of(company: Company, folder: Path, *, access: AccessTable = SEES_ALL) -> Sheets:
    """The company's imports, by its founder."""
    return Sheets(
        company.database,
        company.tenant_id,
        company.clock,
        company.keyring,
        FolderStore(folder / "uploads"),
        replace(company.founder, locale="zh-CN"),
        access,
        catalogue=CATALOGUE,
    )


@pytest.fixture
def sheets(company: Company, tmp_path: Path) -> Sheets:
    """Imports of a company that this test has for itself."""
    return sheets_of(company, tmp_path)
