"""Decision tables: rows of cells, of which the most specific that fits gives the outcomes.

Columns are compared in their order: the first in which two fitting rows are not equally specific decides. Two rows that
some values fit alike, and that no column tells apart, are refused when the table is saved.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice

from saas.formulas.cells import Cell, parse_cell
from saas.formulas.errors import FormulaProblem, FormulaRefused, NoRowApplies
from saas.formulas.formula import Formula, parse_formula
from saas.formulas.kinds import Kind, Value, shown
from saas.formulas.limits import COLUMNS_MOST, PROBLEMS_MOST, ROWS_MOST
from saas.formulas.sources import cut
from saas.formulas.vocabulary import Vocabulary
from saas.kernel import DEFAULT_LOCALE, AppError, Explanation, Localised, Scalar, localised


@dataclass(frozen=True, slots=True)
class Column:
    """An input of a table: what `formula` comes to (mostly just a name)."""

    titles: Localised
    kind: Kind
    formula: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A result of a table: each row writes a formula of this kind for it."""

    name: str
    titles: Localised
    kind: Kind


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it is written: a cell per column and a formula per outcome."""

    cells: tuple[str, ...]
    outcomes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """The row that applied, counted from 1, and its outcomes by name."""

    row: int
    outcomes: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class _Rule:
    number: int
    cells: tuple[Cell, ...]
    outcomes: tuple[Formula, ...]

    @property
    def ranks(self) -> tuple[int, ...]:
        """How specific it is, column by column."""
        return tuple(cell.rank for cell in self.cells)

    def misfit(self, values: Sequence[Value]) -> int | None:
        """The first column whose value does not fit; None where all do."""
        return next((place for place, cell in enumerate(self.cells) if not cell.fits(values[place])), None)


@dataclass(frozen=True, slots=True)
class DecisionTable:
    """A checked table; `rules` stand in the order in which they are tried, the most specific first."""

    columns: tuple[Column, ...]
    outcomes: tuple[Outcome, ...]
    conditions: tuple[Formula, ...]
    rules: tuple[_Rule, ...]

    def decide(self, values: Mapping[str, Value | None]) -> Decision:
        """The outcomes for one set of values, by canonical name.

        :raises NoRowApplies: no row fits.
        :raises FormulaFailed: the value of a column or of an outcome can't be computed.
        """
        given = self._given(values)
        rule = self._applying(given)
        found = zip(self.outcomes, rule.outcomes, strict=True)
        return Decision(rule.number, {outcome.name: formula.evaluate(values) for outcome, formula in found})

    def explain(self, values: Mapping[str, Value | None]) -> tuple[Decision, Explanation]:
        """The decision, and why: the values of the columns, the outcomes, and for each other row why it did not apply.

        :raises NoRowApplies: as `decide` does.
        :raises FormulaFailed: as `decide` does.
        """
        given = self._given(values)
        rule = self._applying(given)
        parts = [
            Explanation("formulas.column_value", {"title": column.titles, "value": shown(value)})
            for column, value in zip(self.columns, given, strict=True)
        ]
        outcomes = {}
        for outcome, formula in zip(self.outcomes, rule.outcomes, strict=True):
            outcomes[outcome.name], why = formula.explain(values)
            parts.append(Explanation("formulas.outcome", {"title": outcome.titles}, amount=why.amount, parts=(why,)))
        others = sorted((other for other in self.rules if other is not rule), key=lambda other: other.number)
        parts += [self._why_not(other, rule, given) for other in others]
        return Decision(rule.number, outcomes), Explanation(
            "formulas.row_applies", {"row": rule.number}, parts=tuple(parts)
        )

    def _given(self, values: Mapping[str, Value | None]) -> list[Value]:
        return [condition.evaluate(values) for condition in self.conditions]

    def _applying(self, given: Sequence[Value]) -> _Rule:
        for rule in self.rules:
            if rule.misfit(given) is None:
                return rule
        named = (f"{_title(column)} = {shown(value)}" for column, value in zip(self.columns, given, strict=True))
        raise NoRowApplies("formulas.no_row_applies", {"values": cut(", ".join(named))})

    def _why_not(self, other: _Rule, rule: _Rule, given: Sequence[Value]) -> Explanation:
        place = other.misfit(given)
        if place is not None:
            cell, value = other.cells[place].written, shown(given[place])
            return Explanation("formulas.row_unfit", {**self._at(other, place), "cell": cell, "value": value})
        place = next(at for at, rank in enumerate(rule.ranks) if rank > other.ranks[at])
        return Explanation("formulas.row_less_specific", {**self._at(other, place), "chosen": rule.number})

    def _at(self, rule: _Rule, place: int) -> dict[str, str | int | Localised | None]:
        return {"row": rule.number, "title": self.columns[place].titles}


def parse_table(
    rows: Sequence[Row], vocabulary: Vocabulary, *, columns: Sequence[Column], outcomes: Sequence[Outcome]
) -> DecisionTable:
    """The table of `rows` over the names of `vocabulary`.

    :raises FormulaRefused: it is larger than a table may be, a cell or formula can't be understood, or rows overlap
        that are equally specific; `field` names row and column, each problem of rows that overlap an example.
    """
    _check_size(rows, columns, outcomes)
    problems: list[AppError] = []
    conditions = []
    for column in columns:
        try:
            conditions.append(parse_formula(column.formula, vocabulary, result=column.kind))
        except FormulaRefused as refused:
            problems += [problem.at("columns", _title(column)) for problem in refused.errors]
    rules = []
    for number, row in enumerate(rows, 1):
        try:
            rules.append(_rule(number, row, vocabulary, columns, outcomes))
        except FormulaRefused as refused:
            problems += refused.errors
        if len(problems) >= PROBLEMS_MOST:
            break
    problems = problems or list(islice(_overlaps(rules, columns), PROBLEMS_MOST))
    if problems:
        raise FormulaRefused(problems[:PROBLEMS_MOST])
    rules.sort(key=lambda rule: rule.ranks, reverse=True)
    return DecisionTable(tuple(columns), tuple(outcomes), tuple(conditions), tuple(rules))


def _title(headed: Column | Outcome) -> str:
    return str(localised(headed.titles, DEFAULT_LOCALE))


def _check_size(rows: Sequence[Row], columns: Sequence[Column], outcomes: Sequence[Outcome]) -> None:
    sizes = ((len(columns), 1, COLUMNS_MOST), (len(outcomes), 1, COLUMNS_MOST), (len(rows), 1, ROWS_MOST))
    for given, least, most in sizes:
        if not least <= given <= most:
            values = {"columns": len(columns), "outcomes": len(outcomes), "rows": len(rows)}
            limits = {"most_columns": COLUMNS_MOST, "most_rows": ROWS_MOST}
            raise FormulaRefused([FormulaProblem("formulas.table_size", {**values, **limits})])
    for number, row in enumerate(rows, 1):
        if len(row.cells) != len(columns) or len(row.outcomes) != len(outcomes):
            values = {"row": number, "cells": len(row.cells), "outcomes": len(row.outcomes)}
            wanted = {"wanted_cells": len(columns), "wanted_outcomes": len(outcomes)}
            field = ("rows", str(number))
            raise FormulaRefused([FormulaProblem("formulas.row_width", {**values, **wanted}, field=field)])


def _rule(
    number: int, row: Row, vocabulary: Vocabulary, columns: Sequence[Column], outcomes: Sequence[Outcome]
) -> _Rule:
    problems: list[AppError] = []
    cells, formulas = [], []
    for column, text in zip(columns, row.cells, strict=True):
        try:
            cells.append(parse_cell(text, kind=column.kind))
        except FormulaRefused as refused:
            problems += [problem.at("rows", str(number), _title(column)) for problem in refused.errors]
    for outcome, text in zip(outcomes, row.outcomes, strict=True):
        try:
            formulas.append(parse_formula(text, vocabulary, result=outcome.kind))
        except FormulaRefused as refused:
            problems += [problem.at("rows", str(number), outcome.name) for problem in refused.errors]
    if problems:
        raise FormulaRefused(problems)
    return _Rule(number, tuple(cells), tuple(formulas))


def _overlaps(rules: Iterable[_Rule], columns: Sequence[Column]) -> Iterator[FormulaProblem]:
    """Rows that some values fit alike and no column tells apart.

    Only rows that are equally specific, and alike in each cell that holds one value, are compared pair by pair.
    """
    alike: dict[object, list[_Rule]] = defaultdict(list)
    for rule in rules:
        alike[(rule.ranks, tuple(cell.options[0] for cell in rule.cells if len(cell.options) == 1))].append(rule)
    for group in alike.values():
        for first, second in combinations(group, 2):
            example = [one.common(other) for one, other in zip(first.cells, second.cells, strict=True)]
            if None not in example:
                named = zip(columns, (value for value in example if value is not None), strict=True)
                text = ", ".join(f"{_title(column)} = {shown(value)}" for column, value in named)
                values: dict[str, Scalar] = {"first": first.number, "second": second.number, "example": text}
                yield FormulaProblem("formulas.rows_overlap", values, field=("rows", str(second.number)))
