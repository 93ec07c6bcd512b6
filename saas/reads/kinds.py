"""Scalars between GraphQL and SQL: how a column becomes JSON text, and how an input becomes a parameter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum

from saas.kernel import BadUserInput, parse_public_id, rounded
from saas.reads.arguments import Convert
from saas.reads.mapping import EnumKind, ScalarKind

Kind = ScalarKind | EnumKind

SQL_TYPES: Mapping[ScalarKind, str] = {
    ScalarKind.ID: "text",
    ScalarKind.STRING: "text",
    ScalarKind.INT: "bigint",
    ScalarKind.BOOLEAN: "boolean",
    ScalarKind.DECIMAL: "numeric",
    ScalarKind.AMOUNT: "bigint",
    ScalarKind.DATE: "date",
    ScalarKind.DATETIME: "timestamptz",
}
_LARGEST_INT = 2**63
_LARGEST_EXPONENT = 60
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def sql_type(kind: Kind) -> str:
    """The type that a parameter of this kind is cast to; enums are text."""
    return "text" if isinstance(kind, EnumKind) else SQL_TYPES[kind]


def is_text(kind: Kind) -> bool:
    """Whether it is ordered and compared as text, which is done in COLLATE "C"."""
    return sql_type(kind) == "text"


def json_of(sql: str, kind: Kind, *, nullable: bool, digits: int) -> str:
    """SQL text that prints the value of `sql` as JSON; instants in UTC with ``Z``, decimals as strings.

    `digits` are those of the tenant's currency: an amount is shown with as many behind the point.
    """
    if isinstance(kind, EnumKind):
        return _enum_json(sql, kind)
    if kind is ScalarKind.BOOLEAN:
        return f"CASE {sql} WHEN true THEN 'true' WHEN false THEN 'false' ELSE 'null' END"
    text = _JSON[kind].format(major(sql, digits) if kind is ScalarKind.AMOUNT else sql)
    return f"coalesce({text}, 'null')" if nullable else text


def major(sql: str, digits: int) -> str:
    """The amount of smallest units that `sql` counts: a numeric with exactly `digits` behind the point.

    The product of numerics has the digits of both factors, so ``1250 * 0.01`` is ``12.50``.
    """
    return f"(({sql})::numeric * {Decimal(1).scaleb(-digits)})"


_JSON: Mapping[ScalarKind, str] = {
    ScalarKind.ID: "to_json({0}::text)::text",
    ScalarKind.STRING: "to_json({0}::text)::text",
    ScalarKind.INT: "({0})::text",
    ScalarKind.DECIMAL: "'\"' || ({0})::text || '\"'",
    ScalarKind.AMOUNT: "'\"' || ({0})::text || '\"'",
    ScalarKind.DATE: "to_json({0})::text",
    ScalarKind.DATETIME: "left(to_json({0} AT TIME ZONE 'UTC')::text, -1) || 'Z\"'",
}


def _enum_json(sql: str, kind: EnumKind) -> str:
    """Names by CASE also where they equal the stored text: nothing but a declared name ever reaches the answer."""
    whens = " ".join(f"WHEN {quote(stored)} THEN '\"{name}\"'" for name, (stored, _) in kind.values.items())
    return f"CASE {sql} {whens} ELSE 'null' END"


def quote(text: str) -> str:
    """An SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def converter(kind: Kind, digits: int) -> Convert:
    """What makes a parameter of an input value (a literal of the document, or a coerced variable).

    `digits` are those of the tenant's currency. The function it returns raises `BadUserInput` for a value that is not
    one of this kind, and for an amount with more digits than the currency has.
    """
    if isinstance(kind, EnumKind):
        stored = {name: text for name, (text, _) in kind.values.items()}
        return lambda value: _enum_value(value, stored)
    if kind is ScalarKind.AMOUNT:
        return lambda value: _minor(value, digits)
    return _CONVERT[kind]


def id_converter(prefix: str) -> Convert:
    """Typed ids to UUIDs.

    The function it returns raises `BadUserInput` for no id at all, `WrongIdType` for the id of another type.
    """
    return lambda value: parse_public_id(str(value), prefix=prefix)


def each(convert: Convert) -> Convert:
    """The same for a list; a single value stands for a list of one."""
    return lambda values: [convert(value) for value in (values if isinstance(values, list) else [values])]


def enum_name(value: object) -> str:
    """The GraphQL name of an enum value, which schemas may hand over as a Python enum."""
    return value.name if isinstance(value, Enum) else str(value)


def next_prefix(prefix: str) -> str:
    """The least text after all texts that start with `prefix`, in the order of code points (COLLATE "C")."""
    while prefix:
        last = ord(prefix[-1])
        if last < 0x10FFFF:
            following = 0xE000 if last == 0xD7FF else last + 1
            return prefix[:-1] + chr(following)
        prefix = prefix[:-1]
    return chr(0x10FFFF)


def _refuse(value: object, kind: str) -> BadUserInput:
    return BadUserInput("reads.value_malformed", {"value": str(value)[:60], "kind": kind})


def _enum_value(value: object, stored: Mapping[str, str]) -> str:
    name = enum_name(value)
    if name not in stored:
        raise _refuse(name, "Enum")
    return stored[name]


def _text(value: object) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise _refuse(value, "String")
    return value


def _int(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -_LARGEST_INT <= value < _LARGEST_INT:
        raise _refuse(value, "Int")
    return value


def _bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise _refuse(value, "Boolean")
    return value


def _decimal(value: object) -> Decimal:
    try:
        number = value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        raise _refuse(value, "Decimal") from None
    if not number.is_finite() or abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise _refuse(value, "Decimal")
    return number


def _minor(value: object, digits: int) -> int:
    """Smallest units of an amount, exactly; rounding would silently ask for another amount."""
    amount = _decimal(value)
    if not -_LARGEST_INT <= amount < _LARGEST_INT:
        raise _refuse(value, "Decimal")
    exact = rounded(amount, digits)
    if exact != amount:
        raise BadUserInput("reads.amount_too_precise", {"value": str(value)[:60], "digits": digits})
    return _int(int(exact.scaleb(digits)))


def _date(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        if _DATE.fullmatch(str(value)):
            return date.fromisoformat(str(value))
    except ValueError:
        pass
    raise _refuse(value, "Date")


def _instant(value: object) -> datetime:
    try:
        instant = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise _refuse(value, "DateTime")


_CONVERT: Mapping[ScalarKind, Convert] = {
    ScalarKind.ID: _text,
    ScalarKind.STRING: _text,
    ScalarKind.INT: _int,
    ScalarKind.BOOLEAN: _bool,
    ScalarKind.DECIMAL: _decimal,
    ScalarKind.DATE: _date,
    ScalarKind.DATETIME: _instant,
}
