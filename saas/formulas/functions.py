"""The functions that formulas may call, and the words of the language: all there are, with their Chinese names.

Nothing else can be called. `docs/formulas.md` shows these tables to consultants; a test compares them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from saas.formulas import arithmetic
from saas.formulas.kinds import ORDERED, Kind

_NUMBER, _TEXT, _DATE, _BOOL = Kind.NUMBER, Kind.TEXT, Kind.DATE, Kind.BOOL


@dataclass(frozen=True, slots=True)
class Function:
    """One function: `usage` shows how it is called.

    Either `takes` gives the kind of each argument, or all arguments are of one kind among `alike`, at least `least`
    and at most `most` of them. `gives` None: the kind of the arguments.
    """

    name: str
    aliases: tuple[str, ...]
    usage: str
    apply: Callable[..., Any]
    gives: Kind | None
    takes: tuple[Kind, ...] = ()
    alike: frozenset[Kind] = frozenset()
    least: int = 0
    most: int | None = None

    def takes_count(self, given: int) -> bool:
        """Whether it may be called with that many arguments."""
        if self.takes:
            return given == len(self.takes)
        return self.least <= given and (self.most is None or given <= self.most)


_ROUNDED = (_NUMBER, _NUMBER)
_ANY = frozenset(Kind)

FUNCTIONS = (
    Function("min", ("取小", "最小值"), "min(x, y, …)", min, None, alike=ORDERED, least=2),
    Function("max", ("取大", "最大值"), "max(x, y, …)", max, None, alike=ORDERED, least=2),
    Function("abs", ("绝对值",), "abs(x)", arithmetic.BOUNDED.abs, _NUMBER, (_NUMBER,)),
    Function("round", ("四舍五入",), "round(x, digits)", arithmetic.round_half_up, _NUMBER, _ROUNDED),
    Function("roundup", ("向上舍入",), "roundup(x, digits)", arithmetic.round_up, _NUMBER, _ROUNDED),
    Function("rounddown", ("向下舍入",), "rounddown(x, digits)", arithmetic.round_down, _NUMBER, _ROUNDED),
    Function("ceil", ("向上取整",), "ceil(x)", arithmetic.ceiling, _NUMBER, (_NUMBER,)),
    Function("floor", ("向下取整",), "floor(x)", arithmetic.floor, _NUMBER, (_NUMBER,)),
    Function("between", ("介于",), "between(x, low, high)", arithmetic.is_between, _BOOL, (), ORDERED, 3, 3),
    Function("in", ("属于",), "in(x, a, b, …)", arithmetic.is_one_of, _BOOL, (), _ANY, 2),
    Function("contains", ("包含",), "contains(text, part)", arithmetic.contains, _BOOL, (_TEXT, _TEXT)),
    Function("days", ("天数", "相差天数"), "days(from, to)", arithmetic.days_between, _NUMBER, (_DATE, _DATE)),
    Function("months", ("月数", "整月数"), "months(from, to)", arithmetic.months_between, _NUMBER, (_DATE, _DATE)),
    Function("year", ("年", "年份"), "year(day)", arithmetic.year_of, _NUMBER, (_DATE,)),
    Function("month", ("月", "月份"), "month(day)", arithmetic.month_number_of, _NUMBER, (_DATE,)),
    Function("day", ("日",), "day(day)", arithmetic.day_of_month, _NUMBER, (_DATE,)),
)
ROUNDING = frozenset({"round", "roundup", "rounddown"})
BY_NAME = {name: function for function in FUNCTIONS for name in (function.name, *function.aliases)}

FORMS = {"if": ("如果",), "date": ("日期",)}
"""Called as functions are, but not functions: one evaluates a case only, the other writes a day."""

USAGES = {
    "if": "if(condition, value, …, otherwise)",
    "and": "and(a, b, …)",
    "or": "or(a, b, …)",
    "not": "not(a)",
    "date": 'date("2026-01-31")',
}
OPERATOR_WORDS = {"and": ("且", "并且"), "or": ("或", "或者"), "not": ("非",)}
TRUTH_WORDS = {"true": ("真",), "false": ("假",)}

FORM_OF = {name: form for form, aliases in FORMS.items() for name in (form, *aliases)}
OPERATOR_OF = {name: word for word, aliases in OPERATOR_WORDS.items() for name in (word, *aliases)}
TRUTH_OF = {name: word == "true" for word, aliases in TRUTH_WORDS.items() for name in (word, *aliases)}
CALLABLE = (*BY_NAME, *FORM_OF, *OPERATOR_OF)
RESERVED = frozenset({*OPERATOR_OF, *TRUTH_OF})
"""Words that no declared name may be. Names of functions may: a function is known by its bracket."""
