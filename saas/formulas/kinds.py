"""The four kinds of values that formulas know, and how a value is shown."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import Enum

Value = Decimal | str | date | bool


class Kind(Enum):
    """What a name stands for and a formula comes to."""

    NUMBER = "NUMBER"
    TEXT = "TEXT"
    DATE = "DATE"
    BOOL = "BOOL"

    @property
    def type(self) -> type[Value]:
        """The Python type of its values, exactly: a day is no instant, and a truth no number."""
        return _TYPES[self]


_TYPES: dict[Kind, type[Value]] = {Kind.NUMBER: Decimal, Kind.TEXT: str, Kind.DATE: date, Kind.BOOL: bool}
ORDERED = frozenset({Kind.NUMBER, Kind.DATE})
"""Kinds of which one value is before another."""


def shown(value: Value) -> str:
    """A value as explanations and errors show it: all digits without an exponent, a day as ``YYYY-MM-DD``."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else f'"{value}"'
