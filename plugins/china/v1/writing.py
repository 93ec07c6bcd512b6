"""The statutory lines of a whole run: what is looked up and explained for everybody is made once.

It does the arithmetic of `plugins.china.v1.payslips` by the same functions; only the lines are filled forms. An annual
bonus, and whoever can't be paid, is left to `payslips.statutory`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from plugins.china.settings import Settings
from plugins.china.tables.income_tax import income_tax_rules
from plugins.china.tables.insurance import INSURANCE
from plugins.china.tables.schemes import Bounds, Rate, Scheme, Side
from plugins.china.v1.contributions import Part, contribution, contribution_explained, rate_of
from plugins.china.v1.declarations import bonus_taken_on, declared, plain_year
from plugins.china.v1.explaining import yuan
from plugins.china.v1.income_tax import ZERO
from plugins.china.v1.payslips import (
    CONTRIBUTION_KINDS,
    TAX_CODE,
    TAX_TITLES,
    annual_bonus,
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
from plugins.china.v1.withholding import Cumulated, cumulated, shown_withholding, withholding_explained
from saas.sdk import (
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

Schemes = tuple[Scheme, ...]
_OWN = Side.EMPLOYEE


@dataclass(frozen=True, slots=True)
class _Contribution:
    """One scheme and side of the month: the rows, and the form of its line."""

    scheme: Scheme
    side: Side
    bounds: Bounds
    rate: Decimal
    row: Rate
    form: LineForm

    def line(self, bases: Mapping[Scheme, Decimal]) -> WrittenLine:
        """The line of somebody with these bases."""
        told = bases[self.scheme]
        base = min(max(told, self.bounds.floor), self.bounds.ceiling)
        amount = contribution(base, self.rate, self.row)
        return WrittenLine(self.form, amount, {"declared": yuan(told), "base": yuan(base), "amount": yuan(amount)})


@dataclass(frozen=True, slots=True)
class _Insured:
    """What is the same for everybody who is in the same schemes."""

    parts: tuple[_Contribution, ...]
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
        self._insured: dict[Schemes, _Insured] = {}
        self._taxes: dict[tuple[bool, bool], LineForm] = {}

    def write(self, facts: PayFacts) -> WrittenResult | None:
        """The lines of one person; None of somebody with an annual bonus.

        :raises AppError: nothing can be computed.
        """
        if annual_bonus(facts) > 0:
            return None
        person = declared(facts.declarations)
        bases = bases_of(facts, self._entity, person)
        insured = self._insured_in(bases or {})
        lines = [part.line(bases or {}) for part in insured.parts]
        shares = sum((line.amount for line, part in zip(lines, insured.parts, strict=True) if part.side is _OWN), ZERO)
        year = year_before(facts, person)
        found = cumulated(payment_of(facts, person, year, special=shares), year, rules=self._rules)
        lines.append(WrittenLine(self._tax_form(found), found.amount, shown_withholding(found, rules=self._rules)))
        return WrittenResult(
            lines=tuple(lines),
            year_to_date=plain_year(found.year, bonus_taken_on=bonus_taken_on(facts.year_to_date)),
            rows=insured.rows,
            findings=(*bases_told(bases, person), *insured.findings, *self._limits(facts, shares)),
        )

    def _insured_in(self, bases: Iterable[Scheme]) -> _Insured:
        schemes = tuple(bases)
        found = self._insured.get(schemes)
        if found is None:
            found = self._insured[schemes] = self._looked_up(frozenset(schemes))
        return found

    def _looked_up(self, schemes: frozenset[Scheme]) -> _Insured:
        """:raises AppError: a city, scheme and side without a row in force, or a unit's own rate that is none."""
        parts = [part for scheme in Scheme if scheme in schemes for part in self._parts(scheme)]
        used = [row for part in parts for row in (part.bounds, part.row)]
        doubtful = {row.id for row in used if not row.is_verified} - self._confirmed
        limit = () if isinstance(self._minimum, Finding) else (self._minimum.id,)
        return _Insured(
            parts=tuple(parts),
            rows=(self._rules.annual_scale.id, self._rules.basic_deduction.id, *(row.id for row in used), *limit),
            findings=unverified_rows(sorted(doubtful)),
        )

    def _parts(self, scheme: Scheme) -> Iterator[_Contribution]:
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
            yield _Contribution(scheme, side, bounds, rate, row, form)

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

    def _limits(self, facts: PayFacts, shares: Decimal) -> Iterator[Finding]:
        if isinstance(self._minimum, Finding):
            yield self._minimum
            return
        yield from missed_limits(facts, self._minimum, shares=shares)
        if not self._minimum.is_verified and self._minimum.id not in self._confirmed:
            yield from unverified_rows((self._minimum.id,))


class _Marks(dict[str, str]):
    """A mark for each value of a tax line; the number of months is no text in it."""

    def __missing__(self, name: str) -> str:
        return json_mark(name) if name == "months" else mark(name)


_MARKS = _Marks()
