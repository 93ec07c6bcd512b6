"""Orders of lists, and the conditions that begin a page after (or end it before) a cursor.

NULL sorts as the greatest value, as PostgreSQL's own default does, so that one index serves both directions; the
id ends every order, in the direction of the last key before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from saas.reads.arguments import Argument, Convert, plain
from saas.reads.compilation import Compilation
from saas.reads.errors import bad_input
from saas.reads.kinds import converter, enum_name, is_text
from saas.reads.mapping import Column, EnumKind, ReadType, ScalarKind
from saas.reads.naming import OrderValue, order_values

MOST_KEYS = 3


@dataclass(frozen=True, slots=True)
class Key:
    """One order key over a row: its value, type and direction."""

    sql: str
    kind: ScalarKind
    descending: bool
    nullable: bool

    def reversed(self) -> Key:
        return replace(self, descending=not self.descending)

    def ordered(self, sql: str) -> str:
        """`sql` in an ORDER BY, in this key's direction."""
        return f"{sql} DESC" if self.descending else sql


@dataclass(frozen=True, slots=True)
class Order:
    """The keys of a list, the id's direction, and the names that make the order's identity in cursors."""

    names: tuple[str, ...]
    keys: tuple[Key, ...]
    id_descending: bool


def require_order_uses(context: Compilation, read_type: ReadType, argument: Argument | None) -> None:
    """Refuse the operation for a key that the caller may not order by, whatever else is wrong with the list.

    :raises FieldForbidden: such a key is named, also behind the id, where it orders nothing.
    """
    known = order_values(read_type)
    for name in _names(argument):
        column = known[name].column
        if column is not None:
            context.rights.require_use(read_type, column)


def order_of(context: Compilation, read_type: ReadType, argument: Argument | None, default: str, alias: str) -> Order:
    """The order that is asked for; without one, the default, or by id where the caller may not use the default.

    :raises BadUserInput: more than `MOST_KEYS` keys.
    :raises FieldForbidden: a key that the caller may not order by.
    """
    known = order_values(read_type)
    names = _names(argument)
    if not names:
        value = known[default]
        usable = value.column is None or context.rights.may_use(read_type, value.column)
        return _order(context, read_type, [value if usable else known["ID_ASC"]], alias)
    if len(names) > MOST_KEYS:
        raise bad_input("reads.order_too_long", given=len(names), most=MOST_KEYS)
    return _order(context, read_type, [known[name] for name in names], alias)


def _names(argument: Argument | None) -> list[str]:
    """The order values that are asked for; a single one stands for a list of one."""
    asked = None if argument is None else plain(argument)
    if asked is None:
        return []
    return [enum_name(item) for item in (asked if isinstance(asked, list) else [asked])]


def _order(context: Compilation, read_type: ReadType, values: Sequence[OrderValue], alias: str) -> Order:
    keys: list[Key] = []
    seen: set[str] = set()
    for value in values:
        if value.column is None:
            return Order(tuple(item.name for item in values), tuple(keys), value.descending)
        if value.column.name not in seen:
            seen.add(value.column.name)
            keys.append(_key(context, read_type, value.column, value.descending, alias))
    return Order(tuple(item.name for item in values), tuple(keys), values[-1].descending)


def _key(context: Compilation, read_type: ReadType, column: Column, descending: bool, alias: str) -> Key:
    """A key by the column, or by the text column that sorts in its place."""
    kind = ScalarKind.STRING if column.order_column or isinstance(column.kind, EnumKind) else column.kind
    plain_sql = f"{alias}.{column.order_column or column.column}"
    sql = f'{plain_sql} COLLATE "C"' if is_text(kind) else plain_sql
    used = context.rights.used(read_type, column, sql, alias)
    if used != sql and is_text(kind):
        used = f'({used}) COLLATE "C"'
    return Key(used, kind, descending, nullable=not column.structural or used != sql or column.order_column is not None)


def beyond(keys: Sequence[Key], values: Sequence[str | None], *, inclusive: bool = False) -> str:
    """The rows after the place that `values` name (or at it, with `inclusive`); None stands for NULL.

    With one direction and no NULL in the way it is a row comparison, which an index answers as a range.
    """
    same_way = len({key.descending for key in keys}) == 1
    nulls_passed = keys[0].descending or not any(key.nullable for key in keys)
    if same_way and nulls_passed and None not in values:
        sign = ("<" if keys[0].descending else ">") + ("=" if inclusive else "")
        return f"({', '.join(key.sql for key in keys)}) {sign} ({', '.join(value or '' for value in values)})"
    pairs = list(zip(keys, values, strict=True))
    ways = [
        " AND ".join([*(_same(*pair) for pair in pairs[:index]), _after(*pairs[index])]) for index in range(len(pairs))
    ]
    if inclusive:
        ways.append(" AND ".join(_same(*pair) for pair in pairs))
    return f"({' OR '.join(f'({way})' for way in ways)})"


def _same(key: Key, value: str | None) -> str:
    return f"{key.sql} IS NULL" if value is None else f"{key.sql} = {value}"


def _after(key: Key, value: str | None) -> str:
    if key.descending:
        return f"{key.sql} IS NOT NULL" if value is None else f"{key.sql} < {value}"
    if value is None:
        return "false"
    return f"({key.sql} > {value} OR {key.sql} IS NULL)" if key.nullable else f"{key.sql} > {value}"


def cursor_text(sql: str, kind: ScalarKind) -> str:
    """SQL text that prints an order value for a cursor, the same whatever the session's settings."""
    if kind is ScalarKind.DATETIME:
        return f"to_char({sql} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"+00:00\"')"
    if kind is ScalarKind.DATE:
        return f"to_char({sql}, 'YYYY-MM-DD')"
    return f"({sql})::text"


def cursor_converter(kind: ScalarKind) -> Convert:
    """From a cursor's text to the value; raises `BadUserInput` for what no cursor of ours holds.

    An amount stands in it as it is stored: a whole number.
    """
    convert = converter(ScalarKind.INT if kind is ScalarKind.AMOUNT else kind, 0)
    if kind in (ScalarKind.INT, ScalarKind.AMOUNT):
        return lambda text: convert(_whole(str(text)))
    if kind is ScalarKind.BOOLEAN:
        return lambda text: convert({"true": True, "false": False}.get(str(text)))
    return convert


def _whole(text: str) -> int:
    if len(text) > 20 or not text.lstrip("-").isdecimal():
        raise bad_input("reads.value_malformed", value=text[:60], kind="Int")
    return int(text)
