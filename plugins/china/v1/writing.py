"""The statutory lines of a whole run: what is looked up and explained for everybody is made once.

It does the arithmetic of `plugins.china.v1.payslips` by the same functions; only the lines are filled forms. An annual
bonus, and whoever can't be paid, is left to `payslips.statutory`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from plugins.china.settings import Settings
from plugins.china.tables.income_tax import income_tax_rules
from plugins.china.tables.insurance import INSURANCE
from plugins.china.tables.schemes import Bounds, Rate, Scheme
from plugins.china.v1.contributions import Part, contribution_explained, rate_of
from plugins.china.v1.declarations import bonus_taken_on, declared, plain_year
from plugins.china.v1.explaining import yuan
from plugins.china.v1.gross import GrossAdder, GrossSums
from plugins.china.v1.income_tax import ZERO
from plugins.china.v1.payslips import (
    CONTRIBUTION_KINDS,
    TAX_CODE,
    TAX_TITLES,
    bases_of,
    bases_told,
    contribution_code,
    contribution_titles,
    minimum_of,
    missed_limits,
    payment_of,
    unverified_rows,
    year_before,
)
from plugins.china.v1.rounding import rounder
from plugins.china.v1.withholding import Cumulated, cumulated, shown_withholding, withholding_explained
from saas.sdk import (
    EXACT,
    Finding,
    LineForm,
    PackTask,
    PayFacts,
    StatutoryKind,
    WrittenLine,
    WrittenResult,
    json_mark,
    mark,
    month_of,
)

_SHARE = StatutoryKind.CONTRIBUTION


class _Side(NamedTuple):
    """One who pays to a scheme in the month: the rows, and the form of the line."""

    bounds: Bounds
    row: Rate
    rate: Decimal
    rounded: Callable[[Decimal], Decimal]
    form: LineForm


class _Scheme(NamedTuple):
    """A scheme in the month: its sides by the bounds that they have in common."""

    scheme: Scheme
    sides: tuple[tuple[Bounds, tuple[_Side, ...]], ...]

    def lines(self, told: Decimal) -> Iterator[WrittenLine]:
        """The lines of somebody who declared a base."""
        declared = yuan(told)
        for bounds, sides in self.sides:
            base = min(max(told, bounds.floor), bounds.ceiling)
            shown = yuan(base)
            for _, row, rate, rounded, form in sides:
                amount = rounded(EXACT.multiply(base, rate) + row.fixed)
                yield WrittenLine(form, amount, {"declared": declared, "base": shown, "amount": yuan(amount)})


class _Insured(NamedTuple):
    """What is the same for everybody who is in the same schemes."""

    schemes: tuple[_Scheme, ...]
    rows: tuple[str, ...]
    findings: tuple[Finding, ...]


class Writer:
    """Writes the lines of the people of one legal entity, month and day of payment."""

    def __init__(self, task: PackTask, settings: Settings) -> None:
        """:raises AppError: nobody can be paid: no city is set, or no tax rules are in force."""
        self._task = task
        self._confirmed = settings.confirmed_rows
        self._entity = settings.entity(task.legal_entity_id)
        self._rules = income_tax_rules(task.pays_on)
        self._minimum = minimum_of(self._entity, task.period)
        self._gross = GrossAdder(task.gross)
        self._insured: dict[tuple[Scheme, ...], _Insured] = {}
        self._taxes: dict[tuple[bool, bool], LineForm] = {}

    def write(self, facts: PayFacts) -> WrittenResult | None:
        """The lines of one person; None of somebody with an annual bonus.

        :raises AppError: nothing can be computed.
        """
        sums = self._gross.sums(facts.amounts)
        if sums.bonus > 0:
            return None
        person = declared(facts.declarations)
        told = bases_of(facts, self._entity, person)
        bases = told or {}
        insured = self._insured_in(tuple(bases))
        lines = [line for scheme in insured.schemes for line in scheme.lines(bases[scheme.scheme])]
        shares = sum([line.amount for line in lines if line.form.kind is _SHARE], ZERO)
        year = year_before(facts, person)
        found = cumulated(payment_of(facts, sums, person, year, special=shares), year, rules=self._rules)
        lines.append(WrittenLine(self._tax_form(found), found.amount, shown_withholding(found)))
        return WrittenResult(
            lines=tuple(lines),
            year_to_date=plain_year(found.year, bonus_taken_on=bonus_taken_on(facts.year_to_date)),
            rows=insured.rows,
            findings=(*bases_told(told, person), *insured.findings, *self._limits(facts, sums, shares)),
        )

    def _insured_in(self, schemes: tuple[Scheme, ...]) -> _Insured:
        found = self._insured.get(schemes)
        if found is None:
            found = self._insured[schemes] = self._looked_up(schemes)
        return found

    def _looked_up(self, schemes: tuple[Scheme, ...]) -> _Insured:
        """:raises AppError: a city, scheme and side without a row in force, or a unit's own rate that is none."""
        sides = {scheme: tuple(self._sides(scheme)) for scheme in Scheme if scheme in schemes}
        used = [row for each in sides.values() for side in each for row in (side.bounds, side.row)]
        doubtful = {row.id for row in used if not row.is_verified} - self._confirmed
        limit = () if isinstance(self._minimum, Finding) else (self._minimum.id,)
        return _Insured(
            schemes=tuple(_Scheme(scheme, _by_bounds(each)) for scheme, each in sides.items()),
            rows=(self._rules.annual_scale.id, self._rules.basic_deduction.id, *(row.id for row in used), *limit),
            findings=unverified_rows(sorted(doubtful)),
        )

    def _sides(self, scheme: Scheme) -> Iterator[_Side]:
        city, first = self._entity.city, self._task.period.first.replace(day=1)
        for side in INSURANCE.sides(city, scheme):
            bounds = INSURANCE.bounds_on(city, scheme, side, on=first)
            row = INSURANCE.rate_on(city, scheme, side, on=first)
            rate, part = rate_of(row, self._entity.unit_rates), Part(month_of(first), scheme, side)
            shown = {name: mark(name) for name in ("declared", "base", "amount")}
            form = LineForm(
                code=contribution_code(scheme, side),
                titles=contribution_titles(scheme, side),
                kind=CONTRIBUTION_KINDS[side],
                explanation=contribution_explained(part, bounds, row, rate=rate, **shown),
            )
            yield _Side(bounds, row, rate, rounder(row.rounding), form)

    def _tax_form(self, found: Cumulated) -> LineForm:
        """The form of a tax line: there are four of them."""
        kind = (found.year.has_full_year_deduction, found.due < 0)
        form = self._taxes.get(kind)
        if form is None:
            explanation = withholding_explained(
                _MARKS, rules=self._rules, paid_on=self._task.pays_on, is_full_year=kind[0], has_surplus=kind[1]
            )
            form = LineForm(code=TAX_CODE, titles=TAX_TITLES, kind=StatutoryKind.TAX, explanation=explanation)
            self._taxes[kind] = form
        return form

    def _limits(self, facts: PayFacts, sums: GrossSums, shares: Decimal) -> Iterator[Finding]:
        if isinstance(self._minimum, Finding):
            yield self._minimum
            return
        yield from missed_limits(facts, sums, self._minimum, shares=shares)
        if not self._minimum.is_verified and self._minimum.id not in self._confirmed:
            yield from unverified_rows((self._minimum.id,))


def _by_bounds(sides: Iterable[_Side]) -> tuple[tuple[Bounds, tuple[_Side, ...]], ...]:
    """Sides that follow one another and have the same bounds, together: their base is found once."""
    grouped = groupby(sides, key=lambda side: (side.bounds.floor, side.bounds.ceiling))
    return tuple((alike[0].bounds, alike) for alike in (tuple(group) for _, group in grouped))


class _Marks(dict[str, str]):
    """A mark for each value of a tax line; the number of months is no text in it."""

    def __missing__(self, name: str) -> str:
        return json_mark(name) if name == "months" else mark(name)


_MARKS = _Marks()
