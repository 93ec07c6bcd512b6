"""A company that imports its own sheets: all kinds of the product, on its real tables; and its payroll office."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import orjson
import pytest
import pytest_asyncio

from saas.access import PERMISSIONS, AccessTable
from saas.exchange import FolderStore, Kinds
from saas.importing import IMPORT_KINDS
from saas.kernel import Actor, Catalogue
from saas.main import SPEAKING
from saas.payroll import MonthlyItem
from saas.sealing import Place
from tests.payroll_samples import BASIC, STRUCTURE, component, structure_of, titles
from tests.payroll_stage import Office, office_of
from tests.rooms.imports.toy import Imports, counts, workbook
from tests.staging import Company

SEES_ALL = AccessTable(
    "all",
    permissions=PERMISSIONS,
    scopes=dict.fromkeys(("Customer", "Deal", "Opportunity", "ImportBatch"), frozenset({"all"})),
)
CATALOGUE = Catalogue.of(SPEAKING)
Rows = Sequence[Sequence[object]]

SALES = replace(
    structure_of(BASIC, component("phone_pay", "phone.earned", titles=titles("通讯费", "Phone pay"))),
    items=(*STRUCTURE.items, MonthlyItem(code="phone", titles=titles("通讯补贴", "Phone"))),
)
OTHER = replace(structure_of(BASIC), code="office", titles=titles("职能", "Office"))
SALARIES = ["工号", "薪资结构", "基本工资", "月度金额", "生效日期", "调薪原因"]
DAYS = ["姓名", "月份", "出勤天数", "年假", "病假", "事假", "旷工"]
MONTH_FIRST = date(2026, 11, 1)


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


@dataclass
class Payroll:
    """A payroll office whose sheets come in workbooks: E1 李雷 since 2026-02-02, E2 韩冰 since 2026-11-09."""

    sheets: Sheets
    office: Office
    first: Actor
    second: Actor
    structure_id: UUID

    @property
    def company(self) -> Company:
        return self.office.company

    async def salaries(self) -> list[tuple[object, ...]]:
        """(number, amounts, first day, day behind the last, reason) of what is in force or planned."""
        rows = await self.company.rows(
            "SELECT e.number, a.id, a.amounts_sealed, a.valid_from, a.valid_to, a.reason FROM pay_assignment a"
            " JOIN employee e ON e.id = a.employee_id WHERE a.superseded_at IS NULL ORDER BY e.number, a.valid_from"
        )
        return [(number, self._opened(id_, sealed), *more) for number, id_, sealed, *more in rows]

    def _opened(self, row_id: object, sealed: object) -> dict[str, str]:
        place = Place("pay_assignment", "amounts_sealed", row_id)  # type: ignore[arg-type]
        amounts: dict[str, str] = orjson.loads(self.company.keyring.open(place, sealed))  # type: ignore[arg-type]
        return amounts

    async def days(self) -> list[tuple[object, ...]]:
        """(number, month, kind, days) of all counts."""
        return await self.company.rows(
            "SELECT e.number, c.month, c.kind, c.days::text FROM attendance_day_count c JOIN employment m"
            " ON m.id = c.employment_id JOIN employee e ON e.id = m.employee_id ORDER BY 1, 2, 3"
        )

    async def stored(self) -> list[tuple[object, ...]]:
        """All that a sheet of pay may write: assignments to the last byte, counts but for their ids."""
        counts = "SELECT (employment_id, month, kind, days, known_at)::text FROM attendance_day_count ORDER BY 1"
        return [
            *await self.company.rows("SELECT t::text FROM pay_assignment t ORDER BY 1"),
            *await self.company.rows(counts),
        ]

    async def quoted(self, batch_id: object) -> str:
        """Everything in clear that a batch shows to whoever may see it."""
        rows = await self.company.rows(
            "SELECT r.message || r.args::text FROM import_remark r WHERE r.batch_id = $1 UNION ALL"
            " SELECT concat(d.before, d.after) FROM import_difference d JOIN import_part p ON p.id = d.part_id"
            " WHERE p.batch_id = $1",
            batch_id,
        )
        return "\n".join(str(text) for (text,) in rows)


@pytest_asyncio.fixture(loop_scope="session")
async def payroll(company: Company, tmp_path: Path) -> Payroll:
    """A payroll office with one structure and two people who have no salary yet."""
    office = office_of(company)
    structure_id = await office.save(SALES)
    first = await office.employ("E1", name="李雷", hired_on=date(2026, 2, 2))
    second = await office.employ("E2", name="韩冰", hired_on=date(2026, 11, 9))
    return Payroll(sheets_of(company, tmp_path), office, first, second, structure_id)


def lei(base: str, *, items: str | None = None, since: str | None = None) -> list[object]:
    """李雷's row."""
    return ["E1", None, base, items, since, None]
