"""Scalars of the schema, strict about what they take, and the check of every text a request carries.

A text with NUL, a lone surrogate or another control character can't be stored and is refused before anything runs;
a date is a day of the calendar; a decimal is written out in digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from graphql import DocumentNode, GraphQLError, Node, StringValueNode
from strawberry import scalar
from strawberry.types.scalar import ScalarDefinition

from saas.kernel import BadUserInput

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,24}(\.\d{1,12})?", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})", re.ASCII)
_REFUSED_IN_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class ScalarRefused(GraphQLError):
    """A literal or variable that a scalar does not take; the door gives it the code BAD_USER_INPUT."""


def parse_date(value: object) -> date:
    """A calendar day from ``YYYY-MM-DD``.

    :raises ScalarRefused: another form, or a day the calendar does not have (2026-02-30).
    """
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise ScalarRefused(f"Date must be a day of the calendar as YYYY-MM-DD, not {_shown(value)}.")


def parse_instant(value: object) -> datetime:
    """An instant, in UTC, from RFC 3339 with an offset.

    :raises ScalarRefused: another form, no offset, or a time that does not exist.
    """
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        try:
            return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise ScalarRefused(f"DateTime must be RFC 3339 with an offset (2026-11-23T10:00:00+08:00), not {_shown(value)}.")


def parse_decimal(value: object) -> Decimal:
    """An exact number from a text of digits; a JSON number is refused, since it may have passed through a float.

    :raises ScalarRefused: another form, or more than 24 digits before or 12 after the point.
    """
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return Decimal(value)
    raise ScalarRefused(f'Decimal must be a text of digits such as "1234.50", not {_shown(value)}.')


def print_instant(value: datetime) -> str:
    """RFC 3339 in UTC with ``Z``."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def print_decimal(value: Decimal) -> str:
    """Digits without exponent."""
    return format(value, "f")


def _scalar(name: str, description: str, **ways: Any) -> ScalarDefinition:
    definition: ScalarDefinition = scalar(name=name, description=description, **ways)
    return definition


SCALARS: dict[object, ScalarDefinition] = {
    date: _scalar("Date", "A calendar day, YYYY-MM-DD. Since 0.1.", serialize=date.isoformat, parse_value=parse_date),
    datetime: _scalar(
        "DateTime",
        "An instant, RFC 3339 with an offset; printed in UTC. Since 0.1.",
        serialize=print_instant,
        parse_value=parse_instant,
    ),
    Decimal: _scalar(
        "Decimal",
        'An exact decimal number as a text of digits, such as "1234.50"; never a float. Since 0.1.',
        serialize=print_decimal,
        parse_value=parse_decimal,
    ),
}
"""Python type → scalar of the schema."""


def check_texts(values: object) -> None:
    """Refuse a text among `values` (JSON, however deep) that could not be stored.

    :raises BadUserInput: with the place of the first such text as `field`.
    """
    todo: list[tuple[tuple[str, ...], object]] = [((), values)]
    while todo:
        path, value = todo.pop()
        if isinstance(value, str):
            check_text(value, path)
        elif isinstance(value, dict):
            for name, part in value.items():
                check_text(name, path)
                todo.append(((*path, name), part))
        elif isinstance(value, list):
            todo.extend(((*path, str(at)), part) for at, part in enumerate(value))


def check_text(text: str, path: tuple[str, ...] = ()) -> None:
    """Refuse NUL, lone surrogates and control characters other than tab, line feed and carriage return.

    :raises BadUserInput: with the character's code point.
    """
    found = _REFUSED_IN_TEXT.search(text)
    if found is not None:
        raise BadUserInput("graphql.text_unstorable", {"character": f"U+{ord(found[0]):04X}"}, field=path)


def check_document_texts(document: DocumentNode) -> None:
    """The same for the texts written in a document.

    :raises BadUserInput: with the character's code point.
    """
    for node in _nodes(document):
        if isinstance(node, StringValueNode):
            check_text(node.value)


def _nodes(document: DocumentNode) -> Iterator[Node]:
    todo: list[object] = [document]
    while todo:
        node = todo.pop()
        if isinstance(node, list | tuple):
            todo.extend(node)
        elif isinstance(node, Node):
            yield node
            todo.extend(getattr(node, key, None) for key in node.keys if key != "loc")


def _shown(value: object) -> str:
    return repr(value)[:40] if isinstance(value, str) else f"a {type(value).__name__}"
