"""Decision tables: the most specific row that fits, rows that no column tells apart, and why others did not apply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.formulas import (
    CELL_LONGEST,
    COLUMNS_MOST,
    ROWS_MOST,
    Column,
    Decision,
    DecisionTable,
    FormulaFailed,
    FormulaRefused,
    Kind,
    NoRowApplies,
    Outcome,
    Row,
    Value,
    parse_table,
)
from saas.formulas.cells import Cell, parse_cell
from saas.kernel import AppError
from tests.formula_samples import CATALOGUE, VALUES, VOCABULARY, unsaid

COLUMNS = (
    Column({"zh-CN": "级别", "en": "Level"}, Kind.TEXT, "level"),
    Column({"zh-CN": "成交金额"}, Kind.NUMBER, "deal.amount"),
    Column({"zh-CN": "司龄（月）"}, Kind.NUMBER, "months(hired_on, left_on)"),
)
OUTCOMES = (Outcome("rate", {"zh-CN": "提成比例"}, Kind.NUMBER), Outcome("note", {"zh-CN": "说明"}, Kind.TEXT))


def table_of(*rows: str) -> DecisionTable:
    """A table of rows as ``cell ; cell ; cell → outcome ; outcome``."""
    split = [[part.split(";") for part in row.split("→")] for row in rows]
    written = [Row(*(tuple(text.strip() for text in part) for part in parts)) for parts in split]
    return parse_table(written, VOCABULARY, columns=COLUMNS, outcomes=OUTCOMES)


def refusal_of(*rows: str) -> tuple[AppError, ...]:
    with pytest.raises(FormulaRefused) as refused:
        table_of(*rows)
    assert unsaid(*refused.value.errors) == []
    return refused.value.errors


RATES = (
    ';; → 1% ; "default"',
    '"A" | "B" ; ; → 2% ; "list"',
    '"A" ; [10万, 50万) ; → 3% ; "range"',
    '"A" ; [50万, ) ; → 5% ; "open"',
    '“B”;100000; → 4% ; "exact"',
    '"A" ; [10万, 50万) ; [24, ) → base / 10万 ; "seniors " ',
)


@pytest.mark.parametrize(
    ("level", "amount", "left_on", "row", "rate"),
    [
        ("C", "100000", date(2025, 1, 1), 1, "0.01"),
        ("A", "99999.99", date(2025, 1, 1), 2, "0.02"),
        ("A", "100000", date(2025, 1, 1), 3, "0.03"),
        ("A", "499999.99", date(2026, 1, 30), 3, "0.03"),
        ("A", "499999.99", date(2026, 1, 31), 6, "0.08"),
        ("A", "500000", date(2026, 1, 31), 4, "0.05"),
        ("B", "100000.00", date(2026, 1, 31), 5, "0.04"),
        ("B", "100000.01", date(2026, 1, 31), 2, "0.02"),
    ],
)
def test_the_most_specific_row_that_fits_applies(level: str, amount: str, left_on: date, row: int, rate: str) -> None:
    values: Mapping[str, Value] = {**VALUES, "level": level, "deal.amount": Decimal(amount), "left_on": left_on}
    for rows, number in ((RATES, row), (RATES[::-1], len(RATES) + 1 - row)):
        table = table_of(*rows)
        decision = table.decide(values)
        assert (decision.row, decision.outcomes["rate"]) == (number, Decimal(rate))
        assert table.explain(values)[0] == decision


def test_an_earlier_column_weighs_more_than_all_later_ones() -> None:
    table = table_of('"A" ; ; → 1 ; ""', '"A" | "B" ; 5 ; 25 → 2 ; ""')
    values: Mapping[str, Value] = {**VALUES, "deal.amount": Decimal(5), "left_on": date(2026, 2, 28)}
    assert table.decide(values) == Decision(1, {"rate": Decimal(1), "note": ""})


def test_a_table_explains_why_each_other_row_did_not_apply() -> None:
    values: Mapping[str, Value] = {**VALUES, "left_on": date(2025, 1, 31)}
    _, explanation = table_of(*RATES).explain(values)
    assert list(explanation.lines(CATALOGUE, "zh-CN")) == [
        (0, "适用第 3 行", None),
        (1, '级别 为 "A"', None),
        (1, "成交金额 为 123456.78", None),
        (1, "司龄（月） 为 12", None),
        (1, "提成比例", "0.03"),
        (2, "3% ＝ 3% ＝ 0.03", "0.03"),
        (1, "说明", None),
        (2, '"range" ＝ "range" ＝ "range"', None),
        (1, "第 1 行也符合，但在 级别 上不如第 3 行具体", None),
        (1, "第 2 行也符合，但在 级别 上不如第 3 行具体", None),
        (1, "第 4 行不适用：成交金额 为 123456.78，该行要求 [50万, )", None),
        (1, '第 5 行不适用：级别 为 "A"，该行要求 “B”', None),
        (1, "第 6 行不适用：司龄（月） 为 12，该行要求 [24, )", None),
    ]


def test_no_row_that_fits_is_an_error_never_nought() -> None:
    table = table_of('"B";;→1;""')
    for compute in (table.decide, table.explain):
        with pytest.raises(NoRowApplies) as refused:
            compute(VALUES)
        assert unsaid(refused.value) == []
        assert refused.value.values == {"values": '级别 = "A", 成交金额 = 123456.78, 司龄（月） = 25'}


def test_a_missing_value_is_an_error_even_where_any_would_do() -> None:
    with pytest.raises(FormulaFailed) as failed:
        table_of(';;→1;""').decide({**VALUES, "level": None})
    assert (failed.value.key, failed.value.values["name"]) == ("formulas.input_missing", "级别 (level)")


def test_an_outcome_that_can_not_be_computed_fails() -> None:
    with pytest.raises(FormulaFailed) as failed:
        table_of(';;→1 / (seniority - 3);""').decide(VALUES)
    assert failed.value.key == "formulas.division_by_zero"


@pytest.mark.parametrize(
    ("first", "second", "example"),
    [
        (";;", "-;any;任意", '级别 = "", 成交金额 = 0, 司龄（月） = 0'),
        ('"A";;', "“A”;;", '级别 = "A", 成交金额 = 0, 司龄（月） = 0'),
        ('"A" | "B";;', '"C" | "B";;', '级别 = "B", 成交金额 = 0, 司龄（月） = 0'),
        (";[1, 5);", ";[4, 9);", '级别 = "", 成交金额 = 4, 司龄（月） = 0'),
        (";[, 5);", ";[, 3);", '级别 = "", 成交金额 = 2, 司龄（月） = 0'),
        (";[2, );", ";[, 3);", '级别 = "", 成交金额 = 2, 司龄（月） = 0'),
        ('"A";1.0;', '"A";1;', '级别 = "A", 成交金额 = 1.0, 司龄（月） = 0'),
    ],
)
def test_rows_that_no_column_tells_apart_are_refused_with_an_example(first: str, second: str, example: str) -> None:
    (problem,) = refusal_of(f'{first}→1;""', '"X";77;77→1;""', f'{second}→2;""')
    assert problem.key == "formulas.rows_overlap"
    assert problem.values == {"first": 1, "second": 3, "example": example}
    assert problem.field == ("rows", "3")


def test_rows_that_share_no_value_may_be_equally_specific() -> None:
    table = table_of(';[1, 5);→1;""', ';[5, 9);→2;""', ';[9, );→3;""', ';[, 1);→4;""')
    found = [table.decide({**VALUES, "deal.amount": Decimal(amount)}).row for amount in ("1", "4.99", "5", "9", "0.99")]
    assert found == [1, 1, 2, 3, 4]


def test_days_and_truths_have_cells_too() -> None:
    columns = (Column({"en": "Hired"}, Kind.DATE, "hired_on"), Column({"en": "Manager"}, Kind.BOOL, "is_manager"))
    outcome = (Outcome("days", {"en": "Days"}, Kind.NUMBER),)
    rows = [
        Row(('[, date("2024-02-01"))', "true"), ("15",)),
        Row(('[日期("2024-02-01"), )', "真"), ("10",)),
        Row(("", "false"), ("5",)),
    ]
    table = parse_table(rows, VOCABULARY, columns=columns, outcomes=outcome)
    assert table.decide(VALUES).row == 1
    assert table.decide({**VALUES, "hired_on": date(2024, 2, 1)}).row == 2
    assert table.decide({**VALUES, "is_manager": False}).outcomes == {"days": Decimal(5)}
    with pytest.raises(FormulaRefused) as refused:
        parse_table([rows[0], rows[0]], VOCABULARY, columns=columns, outcomes=outcome)
    assert refused.value.errors[0].values["example"] == "Hired = 2024-01-31, Manager = true"


@pytest.mark.parametrize(
    ("cell", "key", "line", "column"),
    [
        ('["A", "C")', "range_unordered", 1, 1),
        ("A", "word_unknown", 1, 1),
        ('"A" | 5', "text_needed", 1, 7),
        ('"A" |', "empty", 1, 6),
        ('| "A"', "empty", 1, 1),
        ('"A" || "B"', "empty", 1, 6),
        ('"A" | "B', "text_unclosed", 1, 7),
        ('"A", "B"', "comma_outside_call", 1, 4),
    ],
)
def test_cells_of_texts_that_are_refused(cell: str, key: str, line: int, column: int) -> None:
    (problem,) = refusal_of('"Z";;→1;""', f'{cell};;→1;""')
    assert (problem.key, problem.values["line"], problem.values["column"]) == (f"formulas.{key}", line, column)
    assert problem.field == ("rows", "2", "级别")


@pytest.mark.parametrize(
    ("cell", "key", "column"),
    [
        ("[5, 5)", "range_empty", 1),
        ("[5, 4)", "range_empty", 1),
        ("[1,000, 2,000)", "range_malformed", 1),
        ("[1, 2]", "range_malformed", 1),
        ("1,500", "thousands_separator", 1),
        ("1 | 2,500", "thousands_separator", 5),
        ('[1, "x")', "number_needed", 5),
        ("base", "word_unknown", 1),
        ("1 / 0", "division_by_zero", 1),
        ("1" + " " * CELL_LONGEST, "text_too_long", 1),
    ],
)
def test_cells_of_numbers_that_are_refused(cell: str, key: str, column: int) -> None:
    with pytest.raises(FormulaRefused) as refused:
        parse_cell(cell, kind=Kind.NUMBER)
    (problem,) = refused.value.errors
    assert (problem.key, problem.values["line"], problem.values["column"]) == (f"formulas.{key}", 1, column)


def test_all_problems_of_a_table_are_told_at_once() -> None:
    problems = refusal_of('"A" ; x ; → bse ; ""', ';;→1%;""', '"A";; → 1 ; level + 1')
    assert [(problem.field, problem.key) for problem in problems] == [
        (("rows", "1", "成交金额"), "formulas.word_unknown"),
        (("rows", "1", "rate"), "formulas.word_misspelt"),
        (("rows", "3", "note"), "formulas.number_needed"),
        (("rows", "3", "note"), "formulas.text_needed"),
    ]


def test_a_column_is_checked_as_every_formula_is() -> None:
    with pytest.raises(FormulaRefused) as refused:
        parse_table(
            [Row(("",), ("1",))], VOCABULARY, columns=[Column({"en": "X"}, Kind.TEXT, "levl")], outcomes=OUTCOMES[:1]
        )
    (problem,) = refused.value.errors
    assert (problem.key, problem.field) == ("formulas.word_misspelt", ("columns", "X"))


@pytest.mark.parametrize(
    ("columns", "outcomes", "rows"), [(0, 1, 1), (1, 0, 1), (1, 1, 0), (13, 1, 1), (1, 13, 1), (1, 1, 501)]
)
def test_a_table_has_a_size(columns: int, outcomes: int, rows: int) -> None:
    with pytest.raises(FormulaRefused) as refused:
        parse_table(
            [Row(("",) * columns, ("1",) * outcomes)] * rows,
            VOCABULARY,
            columns=[COLUMNS[0]] * columns,
            outcomes=[OUTCOMES[0]] * outcomes,
        )
    (problem,) = refused.value.errors
    assert problem.key == "formulas.table_size"
    assert problem.values == {
        "columns": columns,
        "outcomes": outcomes,
        "rows": rows,
        "most_columns": COLUMNS_MOST,
        "most_rows": ROWS_MOST,
    }


def test_each_row_fills_each_column() -> None:
    (problem,) = refusal_of(';;→1;""', ';→1;""')
    assert (problem.key, problem.field) == ("formulas.row_width", ("rows", "2"))


_CELLS = st.one_of(
    st.just(""),
    st.integers(0, 5).map(str),
    st.sets(st.integers(0, 5), min_size=2, max_size=3).map(lambda numbers: " | ".join(map(str, sorted(numbers)))),
    st.tuples(st.integers(0, 5), st.integers(1, 3)).map(lambda bound: f"[{bound[0]}, {bound[0] + bound[1]})"),
    st.integers(0, 5).map(lambda bound: f"[{bound}, )"),
    st.integers(0, 5).map(lambda bound: f"[, {bound})"),
)


def meaning(text: str) -> tuple[int, set[int]]:
    """How specific a cell is, and which of the numbers from -1 to 8 it fits, by reading its text."""
    everything = set(range(-1, 9))
    if not text:
        return 0, everything
    if text.startswith("["):
        first, until = (part.strip() for part in text[1:-1].split(","))
        return 1, {n for n in everything if (not first or int(first) <= n) and (not until or n < int(until))}
    numbers = {int(part) for part in text.split("|")}
    return (3 if len(numbers) == 1 else 2), numbers


@given(rows=st.lists(st.tuples(_CELLS, _CELLS), min_size=1, max_size=6))
def test_any_table_is_refused_for_a_real_overlap_or_decides_as_defined(rows: Sequence[tuple[str, str]]) -> None:
    columns = [Column({"en": name}, Kind.NUMBER, name) for name in ("base_salary", "seniority")]
    written = [Row(cells, (str(number),)) for number, cells in enumerate(rows, 1)]
    meanings = [[meaning(cell) for cell in cells] for cells in rows]
    clashes = {
        (first + 1, second + 1)
        for (first, one), (second, other) in combinations(enumerate(meanings), 2)
        if all(a[0] == b[0] and a[1] & b[1] for a, b in zip(one, other, strict=True))
    }
    try:
        table = parse_table(written, VOCABULARY, columns=columns, outcomes=OUTCOMES[:1])
    except FormulaRefused as refused:
        problems = refused.errors
    else:
        problems = ()
        for base in range(-1, 9):
            for seniority in range(-1, 9):
                assert decided(table, base, seniority) == defined(meanings, base, seniority)
    assert {(problem.values["first"], problem.values["second"]) for problem in problems} == clashes
    for problem in problems:
        assert_example_fits_both(problem, rows)


def decided(table: DecisionTable, base: int, seniority: int) -> int | None:
    try:
        return table.decide({"base_salary": Decimal(base), "seniority": Decimal(seniority)}).row
    except NoRowApplies:
        return None


def defined(meanings: Sequence[Sequence[tuple[int, set[int]]]], base: int, seniority: int) -> int | None:
    fitting = [
        (tuple(rank for rank, _ in cells), number)
        for number, cells in enumerate(meanings, 1)
        if base in cells[0][1] and seniority in cells[1][1]
    ]
    return max(fitting)[1] if fitting else None


def assert_example_fits_both(problem: AppError, rows: Sequence[tuple[str, str]]) -> None:
    example: list[Any] = [Decimal(part.split(" = ")[1]) for part in str(problem.values["example"]).split(", ")]
    for number in (problem.values["first"], problem.values["second"]):
        cells: list[Cell] = [parse_cell(text, kind=Kind.NUMBER) for text in rows[int(number or 0) - 1]]
        assert [cell.fits(value) for cell, value in zip(cells, example, strict=True)] == [True, True]
