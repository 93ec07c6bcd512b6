"""What operators and functions compute: exactly, in one context, and never past the published magnitude.

The context keeps 60 significant digits, so a quotient keeps far more than money needs, and its largest exponent is the
bound: whatever would reach 10^24 signals an overflow at no further cost.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_UP,
    ROUND_UP,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from functools import partial

from saas.formulas.kinds import Value
from saas.formulas.limits import MAGNITUDE, MAGNITUDE_DIGITS, ROUNDING_DIGITS
from saas.kernel import EXACT, rounded

BOUNDED = Context(
    prec=EXACT.prec,
    rounding=EXACT.rounding,
    Emax=MAGNITUDE_DIGITS - 1,
    traps=[DivisionByZero, InvalidOperation, Overflow],
)
OPERATIONS = {"+": BOUNDED.add, "-": BOUNDED.subtract, "*": BOUNDED.multiply, "/": BOUNDED.divide}
LOWEST, HIGHEST = MAGNITUDE.copy_negate(), MAGNITUDE
_plus = BOUNDED.plus
_HUNDREDTH = Decimal("0.01")
_WHOLE_DIGITS = {Decimal(digits): digits for digits in range(-ROUNDING_DIGITS, ROUNDING_DIGITS + 1)}


class DigitsOutOfRange(ArithmeticError):
    """Rounding to a number of digits that is not whole, or beyond the limit."""


def percent(number: Decimal) -> Decimal:
    """A hundredth."""
    return BOUNDED.multiply(number, _HUNDREDTH)


def are_fitting_digits(digits: Decimal) -> bool:
    """Whether rounding takes this number of digits."""
    return digits in _WHOLE_DIGITS


def _round(rounding: str, number: Decimal, digits: Decimal) -> Decimal:
    whole = _WHOLE_DIGITS.get(digits)
    if whole is None:
        raise DigitsOutOfRange
    result = rounded(number, whole, rounding)
    return _plus(result if whole >= 0 else rounded(result, 0))


def _whole(rounding: str, number: Decimal) -> Decimal:
    return _plus(rounded(number, 0, rounding))


round_half_up = partial(_round, ROUND_HALF_UP)
round_up = partial(_round, ROUND_UP)
round_down = partial(_round, ROUND_DOWN)
ceiling = partial(_whole, ROUND_CEILING)
floor = partial(_whole, ROUND_FLOOR)


def is_between(value: Decimal, low: Decimal, high: Decimal) -> bool:
    """Whether `value` is from `low` to `high`, both included; days compare as numbers do."""
    return low <= value <= high


def is_one_of(value: Value, *options: Value) -> bool:
    """Whether `value` is among the options."""
    return value in options


def contains(text: str, part: str) -> bool:
    """Whether `part` stands somewhere in `text`, letter by letter."""
    return part in text


def days_between(first: date, last: date) -> Decimal:
    """Days from `first` to `last`; negative where `last` is before `first`."""
    return Decimal((last - first).days)


def months_between(first: date, last: date) -> Decimal:
    """Whole months from `first` to `last`; negative where `last` is before `first`.

    A month is complete on the same day of a later month, or on its last day where it has no such day (Civil Code
    art. 202): from 31 January, one month is complete on 28 February.
    """
    if last < first:
        return Decimal(-_whole_months(last, first))
    return Decimal(_whole_months(first, last))


def _whole_months(first: date, last: date) -> int:
    months = (last.year - first.year) * 12 + last.month - first.month
    complete_on = min(first.day, monthrange(last.year, last.month)[1])
    return months if last.day >= complete_on else months - 1


def year_of(day: date) -> Decimal:
    """The year."""
    return Decimal(day.year)


def month_number_of(day: date) -> Decimal:
    """The month, 1 to 12."""
    return Decimal(day.month)


def day_of_month(day: date) -> Decimal:
    """The day of the month, 1 to 31."""
    return Decimal(day.day)
