"""Sheets of salaries (定薪): their columns, and how a row calls a structure and its monthly items."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from saas.exchange import Amount, ImportColumn, Row, day, several, text
from saas.kernel import AppError, Localised, Period, Scalar
from saas.payroll.errors import PayInputRefused, StructureNotFound
from saas.payroll.rules.runs import REASON_LONGEST
from saas.payroll.rules.structures import BASE_SALARY, Structure
from saas.reads.mapping import DataClass

_ITEM = re.compile(r"(?![\d.]+$)(.+?)(?:[\s:：=]+([^\s:：=]+(?:\s*元)?)|([\d.]+\s*元?))")
_FIGURE = re.compile(r"\d[\d.]*")
_HIDDEN = "•••"

SALARY_COLUMNS = (
    ImportColumn(
        "employee",
        {"zh-CN": "员工", "en": "Employee"},
        text(longest=100),
        ("工号", "姓名", "员工编号", "员工姓名", "staff number", "employee number", "name"),
        required=True,
        unique=True,
    ),
    ImportColumn(
        "structure",
        {"zh-CN": "薪资结构", "en": "Salary structure"},
        text(longest=100),
        ("薪资方案", "薪酬结构", "structure"),
    ),
    ImportColumn(
        "base_salary",
        {"zh-CN": "底薪", "en": "Base salary"},
        Amount(),
        ("基本工资", "基础工资", "月薪", "定薪", "薪资标准", "base pay", "monthly salary", "salary"),
        required=True,
        data_class=DataClass.PAY,
    ),
    ImportColumn(
        "items",
        {"zh-CN": "月度金额", "en": "Monthly items"},
        several(longest=140),
        ("津贴", "补贴", "固定津贴", "月度项目", "allowances", "items"),
        data_class=DataClass.PAY,
    ),
    ImportColumn(
        "valid_from",
        {"zh-CN": "生效日期", "en": "Valid from"},
        day,
        ("起薪日期", "调薪日期", "定薪日期", "开始日期", "effective date", "effective from"),
    ),
    ImportColumn(
        "reason",
        {"zh-CN": "原因", "en": "Reason"},
        text(longest=REASON_LONGEST),
        ("调薪原因", "定薪原因", "说明", "备注", "remark"),
    ),
)
REASON: Localised = {"zh-CN": "导入", "en": "Imported"}
"""The reason of rows that give none."""


@dataclass(frozen=True, slots=True)
class KnownStructure:
    """A structure with what it says in each of its periods, the first one first."""

    id: UUID
    code: str
    titles: Localised
    versions: Sequence[tuple[Period, Structure]]

    @property
    def first(self) -> date:
        """The first day on which it says anything."""
        return self.versions[0][0].first

    def on(self, day_of_it: date) -> Structure:
        """What it says on a day.

        :raises StructureNotFound: nothing.
        """
        for period, structure in self.versions:
            if day_of_it in period:
                return structure
        raise StructureNotFound("payroll.structure_not_found", {"on": day_of_it.isoformat()}, field=("structure",))


@dataclass(frozen=True, slots=True)
class StructureBook:
    """The company's structures as rows call them: by code, or by a title that one of them has."""

    known: Sequence[KnownStructure]

    def find(self, word: str) -> KnownStructure:
        """The structure that a word means.

        :raises StructureNotFound: none, or several by their title.
        """
        found = [each for each in self.known if each.code == word]
        found = found or [each for each in self.known if word in each.titles.values()]
        if len(found) != 1:
            values = {"structure": word, "known": self._codes}
            raise StructureNotFound("payroll.structure_not_called_so", values, field=("structure",))
        return found[0]

    def get(self, structure_id: UUID) -> KnownStructure:
        """The structure that an assignment names."""
        return next(each for each in self.known if each.id == structure_id)

    def only(self) -> KnownStructure:
        """The structure of a company that has one.

        :raises PayInputRefused: it has none, or several.
        """
        if len(self.known) != 1:
            values: dict[str, Scalar] = {"count": len(self.known), "known": self._codes}
            raise PayInputRefused("payroll.structure_needed", values, field=("structure",))
        return self.known[0]

    @property
    def _codes(self) -> str:
        return "、".join(each.code for each in self.known) or "—"


def items_of(row: Row, structure: Structure, *, currency: str) -> dict[str, Decimal] | None:
    """The monthly items of a row by code ("餐补 300、通讯补贴 100"); None where it names none.

    :raises PayInputRefused: a part is no item with its amount, or an item stands there twice.
    :raises CellRefused: an amount can't be read; the refusal does not repeat it.
    """
    given, amount_of = row.values.get("items"), Amount(currency)
    if not isinstance(given, tuple):
        return None
    found: dict[str, Decimal] = {}
    for number, part in enumerate(given, start=1):
        split = _ITEM.fullmatch(part)
        if split is None:
            raise PayInputRefused("payroll.item_malformed", {"place": number}, field=("items",))
        code = _code_of(split[1].strip(), structure)
        if code in found:
            raise PayInputRefused("payroll.item_twice", {"item": split[1].strip()[:60]}, field=("items",))
        found[code] = amount_of(split[2] or split[3])
    return found


def _code_of(word: str, structure: Structure) -> str:
    """The code of the item that a word means.

    :raises PayInputRefused: the structure has none, or several by their title.
    """
    codes = [item.code for item in structure.items if item.code == word]
    codes = codes or [item.code for item in structure.items if word in item.titles.values()]
    if len(codes) != 1:
        known = "、".join(f"{item.titles['zh-CN']} ({item.code})" for item in structure.items) or "—"
        values = {"item": _FIGURE.sub(_HIDDEN, word)[:60], "structure": structure.code, "known": known}
        raise PayInputRefused("payroll.item_unknown", values, field=("items",))
    return codes[0]


def placed(error: AppError) -> AppError:
    """A refusal of the room's own checks at the sheet's column, and without the amount: a preview holds no pay."""
    hidden = {"amount", "value"} & error.values.keys()
    error.values |= dict.fromkeys(hidden, _HIDDEN)
    match error.field:
        case ("amounts", code):
            return error.at("base_salary" if code == BASE_SALARY else "items")
        case ("employeeId",):
            return error.at("employee")
        case () if hidden:
            return error.at("items")
        case _:
            return error
