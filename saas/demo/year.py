"""A year of sales of the believable company, and what its people earn: rows of sheets, made from a seed.

Pure, like the company itself. The rows are files that the import takes, as a company's own would be.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from saas.demo.company import DemoCompany
from saas.exchange import Recipe, RecipeSheet, Source
from saas.kernel import month_after, month_of

Row = Mapping[str, str]
KINDS = ("deals", "collections", "targets", "salaries")
BASES = {"sales_manager": 15_000, "rep": 6_500, "hr_admin": 9_000, "": 8_000}
"""Base salaries a month by role, in yuan; a third on top for how long somebody has been there."""

_PRODUCTS = ("标准版", "专业版", "企业版", "年度服务")
_CHANNELS = ("直销", "直销", "渠道")


@dataclass(frozen=True, slots=True)
class _Deal:
    number: str
    customer: str
    owner: str
    on: date
    amount: int


class DemoYear:
    """Deals, collections, targets and salaries to a company's day."""

    def __init__(self, company: DemoCompany, *, seed: int = 21) -> None:
        self._random = random.Random(seed)  # noqa: S311 (a demonstration, not a draw)
        self._company = company
        self._deals = list(self._signed())
        self.sheets: Mapping[str, Sequence[Row]] = {
            "deals": [self._deal_row(deal) for deal in self._deals],
            "collections": list(self._collected()),
            "targets": list(self._targets()),
            "salaries": list(self._salaries()),
        }

    def _signed(self) -> Iterator[_Deal]:
        today, number = self._company.today, 0
        for customer in self._company.customers:
            if customer.owner is None or customer.received_on is None or self._random.random() > 0.5:
                continue
            on = max(customer.received_on, today - timedelta(days=360)) + timedelta(days=self._random.randrange(25))
            while on < today:
                number += 1
                amount = int(self._random.lognormvariate(9.8, 0.9)) // 100 * 100 + 1_000
                owner = self._company.sales[customer.owner]
                yield _Deal(f"HT{on:%y%m}{number:05d}", customer.name, owner.number, on, amount)
                on += timedelta(days=20 + int(self._random.expovariate(1 / 120)))

    def _deal_row(self, deal: _Deal) -> Row:
        return {
            "number": deal.number,
            "customer": deal.customer,
            "signed_on": deal.on.isoformat(),
            "amount": str(deal.amount),
            "owner": deal.owner,
            "product": self._random.choice(_PRODUCTS),
            "channel": self._random.choice(_CHANNELS),
        }

    def _collected(self) -> Iterator[Row]:
        """Half at signing, the rest some weeks later; what lies ahead has not come in yet."""
        for deal in self._deals:
            first = deal.amount // 2
            later = deal.on + timedelta(days=10 + self._random.randrange(45))
            for amount, on in ((first, deal.on), (deal.amount - first, later)):
                if on < self._company.today:
                    yield {"deal": deal.number, "received_on": on.isoformat(), "amount": str(amount), "method": "转账"}

    def _targets(self) -> Iterator[Row]:
        month = month_of(self._company.today)
        for person in self._company.sales:
            yield {"employee": person.number, "metric": "签约", "month": month, "amount": str(self._target())}

    def _target(self) -> int:
        return self._random.choice((60_000, 80_000, 100_000))

    def _salaries(self) -> Iterator[Row]:
        for person in self._company.employees:
            years = (self._company.today - person.hired_on).days // 365
            base = BASES[person.role] * (30 + min(years, 10)) // 30 // 100 * 100
            yield {
                "employee": person.number,
                "base_salary": str(base),
                "valid_from": max(person.hired_on, self._company.today.replace(month=1, day=1)).isoformat(),
            }

    def write(self, folder: Path) -> Recipe:
        """The sheets as files in a folder, and the recipe that makes one workbook of them."""
        for kind, rows in self.sheets.items():
            with (folder / f"{kind}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)
        sheets = (
            RecipeSheet(kind, f"{kind}.csv", {key: Source(header=key) for key in self.sheets[kind][0]})
            for kind in KINDS
        )
        return Recipe("销售年度", tuple(sheets))


def last_month(today: date) -> date:
    """The first day of the month before."""
    return (today.replace(day=1) - timedelta(days=1)).replace(day=1)


def pay_day(month: date) -> date:
    """The tenth of the month after."""
    return month_after(month).replace(day=10)
