"""The sums of gross pay that taxes and limits look at, each over lines of some kinds and natures."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import NamedTuple

from plugins.china.v1.income_tax import ZERO
from saas.sdk import ComponentKind, GrossLine, Nature, PaidAmount

# Tuples: members are found in them by identity, which is quicker than by a hash of their names.
_ALL = tuple(Nature)
_ALL_BUT_BONUS = tuple(each for each in Nature if each is not Nature.ANNUAL_BONUS)
_EARNED = (ComponentKind.EARNING,)
_PAID = (ComponentKind.EARNING, ComponentKind.DEDUCTION)


class GrossSums(NamedTuple):
    """Earnings less deductions, yuan. `income` is what is taxed, `income_but_bonus` without an annual bonus, `bonus`
    that alone; `gross` and what follows is all that was earned, taxed or not; `damage` is negative if taken off."""

    income: Decimal
    income_but_bonus: Decimal
    bonus: Decimal
    gross: Decimal
    overtime: Decimal
    hardship: Decimal
    benefit: Decimal
    damage: Decimal


class _Rule(NamedTuple):
    """Which lines a sum counts; of the taxed ones alone where `is_taxed`."""

    natures: Collection[Nature]
    kinds: Collection[ComponentKind]
    is_taxed: bool

    def counts(self, line: GrossLine | PaidAmount) -> bool:
        return line.nature in self.natures and line.kind in self.kinds and (line.is_taxed or not self.is_taxed)


_RULES = (
    _Rule(_ALL, _PAID, is_taxed=True),
    _Rule(_ALL_BUT_BONUS, _PAID, is_taxed=True),
    _Rule((Nature.ANNUAL_BONUS,), _PAID, is_taxed=True),
    _Rule(_ALL, _EARNED, is_taxed=False),
    _Rule((Nature.OVERTIME,), _EARNED, is_taxed=False),
    _Rule((Nature.HARDSHIP,), _EARNED, is_taxed=False),
    _Rule((Nature.BENEFIT,), _EARNED, is_taxed=False),
    _Rule((Nature.DAMAGE,), _PAID, is_taxed=False),
)


def gross_sums(amounts: Sequence[PaidAmount]) -> GrossSums:
    """The sums of one person."""
    return GrossAdder(amounts).sums(amounts)


class GrossAdder:
    """Adds up the lines of people who have the same ones: which sum counts which of them is found out once."""

    def __init__(self, lines: Sequence[GrossLine | PaidAmount]) -> None:
        self._deductions = [place for place, line in enumerate(lines) if line.kind is ComponentKind.DEDUCTION]
        self._places = [[place for place, line in enumerate(lines) if rule.counts(line)] for rule in _RULES]
        self._count = len(lines)

    def sums(self, amounts: Sequence[PaidAmount]) -> GrossSums:
        """The sums of somebody with these lines. Who has lines of commission behind them is added up apart."""
        if len(amounts) != self._count:
            return gross_sums(amounts)
        signed = [each.amount for each in amounts]
        for place in self._deductions:
            signed[place] = -signed[place]
        return GrossSums(*[sum([signed[place] for place in places], ZERO) for places in self._places])
