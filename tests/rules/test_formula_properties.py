"""Formulas against independent oracles: a walk over fractions of a tree of the test's own, and Python's own grammar."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from saas.formulas import FUNCTIONS, Kind, Value
from tests.formula_samples import formula_of

NAMES = {"base_salary": "底薪", "days_worked": "出勤天数", "seniority": "工龄", "deal.amount": "成交.金额"}
Tree = tuple[Any, ...]

# Below 1000 and with two places each, seven numbers multiply to fewer than 60 digits: every result is exact.
_PLAIN = st.decimals(0, 999, places=2).map(lambda number: str(number.normalize()) if number % 1 else str(int(number)))
_LITERAL = st.tuples(st.just("number"), _PLAIN)
_INPUT = st.tuples(st.just("input"), st.sampled_from(list(NAMES)))
_DIVISOR = st.tuples(st.just("number"), st.sampled_from(["2", "4", "5", "8", "10", "0.5", "20"]))
_VALUES = st.fixed_dictionaries({name: st.decimals(-999, 999, places=2) for name in NAMES})


def _numbers(conditions: st.SearchStrategy[Tree]) -> Callable[[st.SearchStrategy[Tree]], st.SearchStrategy[Tree]]:
    def extended(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
        return st.one_of(
            st.tuples(st.sampled_from(["+", "-", "*"]), inner, inner),
            st.tuples(st.just("/"), inner, _DIVISOR),
            st.tuples(st.sampled_from(["negative", "percent", "abs", "ceil", "floor"]), inner),
            st.tuples(st.sampled_from(["min", "max"]), inner, inner),
            st.tuples(st.sampled_from(["round", "roundup", "rounddown"]), inner, st.integers(-3, 3)),
            st.tuples(st.just("if"), conditions, inner, inner),
        )

    return extended


def _conditions(numbers: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    compared = st.tuples(st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), numbers, numbers)
    leaves = st.one_of(
        compared,
        st.tuples(st.just("truth"), st.booleans()),
        st.tuples(st.just("between"), numbers, numbers, numbers),
        st.tuples(st.just("in"), numbers, numbers, numbers),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.tuples(st.sampled_from(["and", "or"]), inner, inner), st.tuples(st.just("not"), inner)
        ),
        max_leaves=3,
    )


_SIMPLE = st.one_of(_LITERAL, _INPUT)
NUMBERS = st.recursive(_SIMPLE, _numbers(_conditions(_SIMPLE)), max_leaves=7)
CONDITIONS = _conditions(st.recursive(_SIMPLE, _numbers(_conditions(_SIMPLE)), max_leaves=3))
_ALIASES = {function.name: function.aliases[0] for function in FUNCTIONS}
_WIDE = str.maketrans("()*/<>=,+%", "（）×÷＜＞＝，＋％")


def written(tree: Tree, *, chinese: bool) -> str:
    """A tree as a consultant writes it, every operand in brackets."""
    sign, *parts = tree
    if sign in ("number", "truth"):
        return str(parts[0]).lower()
    if sign == "input":
        return NAMES[parts[0]] if chinese else str(parts[0]).upper()
    texts = [str(part) if isinstance(part, int) else written(part, chinese=chinese) for part in parts]
    if sign == "if":
        return f"{'如果' if chinese else 'IF'}({', '.join(texts)})"
    if sign in _ALIASES:
        return f"{_ALIASES[sign] if chinese else sign.upper()}({', '.join(texts)})"
    before = {"negative": "-", "not": "非 " if chinese else "not "}.get(sign)
    if before is not None:
        return f"{before}({texts[0]})"
    if sign == "percent":
        return f"({texts[0]})%"
    word = {"and": "且", "or": "或"}.get(sign, sign) if chinese else sign
    return f"({texts[0]}) {word} ({texts[1]})"


def oracle(tree: Tree, values: dict[str, Fraction]) -> Any:
    """What a tree means, by the definitions, over fractions."""
    sign, *parts = tree
    if sign == "number":
        return Fraction(parts[0])
    if sign == "truth":
        return parts[0]
    if sign == "input":
        return values[parts[0]]
    if sign == "if":
        return oracle(parts[1] if oracle(parts[0], values) else parts[2], values)
    found = [part if isinstance(part, int) else oracle(part, values) for part in parts]
    return _MEANINGS[sign](*found)


def _half_up(number: Fraction, digits: int) -> Fraction:
    unit = Fraction(10) ** -digits
    whole = math.floor(abs(number) / unit + Fraction(1, 2)) * unit
    return whole if number >= 0 else -whole


_MEANINGS: dict[str, Callable[..., Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: Fraction(a) / b,
    "negative": lambda a: -a,
    "percent": lambda a: Fraction(a) / 100,
    "abs": abs,
    "ceil": lambda a: Fraction(math.ceil(a)),
    "floor": lambda a: Fraction(math.floor(a)),
    "min": min,
    "max": max,
    "round": _half_up,
    "roundup": lambda a, n: math.copysign(1, a).__int__() * (math.ceil(abs(a) * Fraction(10) ** n) / Fraction(10) ** n),
    "rounddown": lambda a, n: math.trunc(a * Fraction(10) ** n) / Fraction(10) ** n,
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "and": lambda a, b: a and b,
    "or": lambda a, b: a or b,
    "not": lambda a: not a,
    "between": lambda a, low, high: low <= a <= high,
    "in": lambda a, *options: a in options,
}


def check(tree: Tree, values: dict[str, Decimal], kind: Kind) -> None:
    """The formula gives what the oracle gives, in both languages, evaluated, explained and read back."""
    given: dict[str, Value | None] = {**values}
    english = formula_of(written(tree, chinese=False), kind)
    chinese = formula_of(written(tree, chinese=True).translate(_WIDE), kind)
    again = formula_of(english.canonical, kind)
    assert english.tree == chinese.tree == again.tree
    assert english.canonical == chinese.canonical == again.canonical
    expected = oracle(tree, {name: Fraction(value) for name, value in values.items()})
    found = english.evaluate(given)
    assert (Fraction(found) if isinstance(found, Decimal) else found) == expected
    assert again.evaluate(given) == english.explain(given)[0] == found


@given(tree=NUMBERS, values=_VALUES)
def test_numbers_are_what_fractions_say(tree: Tree, values: dict[str, Decimal]) -> None:
    check(tree, values, Kind.NUMBER)


@given(tree=CONDITIONS, values=_VALUES)
def test_conditions_are_what_fractions_say(tree: Tree, values: dict[str, Decimal]) -> None:
    check(tree, values, Kind.BOOL)


@given(a=st.integers(-(10**20), 10**20), b=st.integers(1, 10**20))
def test_a_quotient_is_right_to_fifty_digits_at_least(a: int, b: int) -> None:
    found = formula_of("base / seniority").evaluate({"base_salary": Decimal(a), "seniority": Decimal(b)})
    assert isinstance(found, Decimal)
    assert abs(Fraction(found) - Fraction(a, b)) <= abs(Fraction(a, b)) / 10**50


_OPERAND = st.one_of(_PLAIN, _PLAIN.map(lambda text: f"-{text}"), _PLAIN.map(lambda text: f"({text} - 7)"))


@given(first=_OPERAND, rest=st.lists(st.tuples(st.sampled_from("+-*"), _OPERAND), max_size=6))
def test_signs_hold_together_as_in_python(first: str, rest: list[tuple[str, str]]) -> None:
    text = first + "".join(f" {sign} {operand}" for sign, operand in rest)
    expected = eval(re.sub(r"\d+(\.\d+)?", r'Fraction("\g<0>")', text), {"Fraction": Fraction})
    found = formula_of(text).evaluate({})
    assert isinstance(found, Decimal)
    assert Fraction(found) == expected


_CONDITION = st.one_of(
    st.sampled_from(["true", "false", "not true", "not not false", "not 1 < 2"]),
    st.tuples(_PLAIN, st.sampled_from(["<", "<=", ">", ">=", "=", "<>"]), _PLAIN).map(" ".join),
)


@given(first=_CONDITION, rest=st.lists(st.tuples(st.sampled_from(["and", "or"]), _CONDITION), max_size=8))
def test_words_hold_together_as_in_python(first: str, rest: list[tuple[str, str]]) -> None:
    text = first + "".join(f" {word} {condition}" for word, condition in rest)
    python = re.sub(r"(?<![<>])=", "==", text).replace("<>", "!=").title().replace("And", "and").replace("Or", "or")
    expected = eval(python.replace("Not", "not"))
    assert formula_of(text, Kind.BOOL).evaluate({}) is expected
