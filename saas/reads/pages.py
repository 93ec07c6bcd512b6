"""Which rows a page holds: ``first``/``after`` and ``last``/``before`` as limits and conditions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from saas.reads.arguments import Argument, Binding, Convert, Leaf, Source, is_null, plain, source_of
from saas.reads.compilation import Compilation
from saas.reads.cursors import cursor_sql, cursor_values, mark_of
from saas.reads.errors import bad_input
from saas.reads.kinds import sql_type
from saas.reads.mapping import ScalarKind
from saas.reads.orders import Key, Order, beyond, cursor_converter, cursor_text
from saas.reads.statement import At


@dataclass(frozen=True, slots=True)
class Bound:
    """A cursor that bounds a page: the condition of rows on the page's side, and of those at it or past it."""

    inside: str
    outside: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page's size (SQL), direction, order and bounds."""

    size: str
    backward: bool
    keys: tuple[Key, ...]
    mark: str
    after: Bound | None
    before: Bound | None

    @property
    def conditions(self) -> list[str]:
        """The conditions that the cursors put on the rows."""
        return [bound.inside for bound in (self.after, self.before) if bound is not None]

    def cursor(self, values: Sequence[str], row_id: str) -> str:
        """SQL text of the cursor of a row, given the SQL of its order values and id."""
        kinds = [key.kind for key in self.keys[:-1]]
        texts = [cursor_text(value, kind) for value, kind in zip(values, kinds, strict=True)]
        return cursor_sql(self.mark, texts, row_id)


def page_of(
    context: Compilation, arguments: dict[str, Argument], order: Order, list_name: str, alias: str, at: At
) -> Page:
    """The page that a connection's arguments ask for.

    :raises BadUserInput: not exactly one of ``first`` and ``last``, a size out of bounds, or a foreign cursor.
    """
    first, last = arguments.get("first"), arguments.get("last")
    if is_null(first) and is_null(last):
        raise bad_input("reads.page_size_missing", most=context.max_page)
    if not is_null(first) and not is_null(last):
        raise bad_input("reads.page_both_ways")
    size = last if is_null(first) else first
    keys = (*order.keys, Key(f"{alias}.id", ScalarKind.ID, order.id_descending, nullable=False))
    mark = mark_of(list_name, order.names)
    bounds = [_bound(context, arguments.get(side), keys, mark, at, side=side) for side in ("after", "before")]
    return Page(_size(context, size, at), is_null(first), keys, mark, bounds[0], bounds[1])


def page_of_one(alias: str) -> Page:
    """Stands in for a page whose arguments are bad, so that what is below it is compiled, and refused, all the same."""
    return Page("1", False, (Key(f"{alias}.id", ScalarKind.ID, False, nullable=False),), "", None, None)


def page_size(context: Compilation, argument: Argument | None, at: At) -> str:
    """A page size as SQL, where ``first`` alone is offered and required."""
    if is_null(argument):
        raise bad_input("reads.page_size_missing", most=context.max_page)
    return _size(context, argument, at)


def _size(context: Compilation, argument: Argument | None, at: At) -> str:
    """Literals of the document stay literals, which plans better than a parameter."""
    assert isinstance(argument, Leaf)
    checked = _checked(argument.value, context.max_page)
    if argument.constant:
        return str(checked)
    raw = source_of(argument, lambda value: value)

    def bounded(binding: Binding) -> object:
        return _checked(raw(binding), binding.caller.max_page)

    return context.statement.parameter(bounded, "bigint", at=at)


def _checked(value: object, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise bad_input("reads.page_size_out_of_bounds", given=str(value)[:20], most=most)
    return value


def _bound(
    context: Compilation, argument: Argument | None, keys: tuple[Key, ...], mark: str, at: At, *, side: str
) -> Bound | None:
    if is_null(argument) or argument is None:
        return None
    converts = [cursor_converter(key.kind) for key in keys[:-1]]
    now = cursor_values(plain(argument), mark, converts)
    text = source_of(argument, lambda value: value)
    types = [*(sql_type(key.kind) for key in keys[:-1]), "uuid"]
    values = [
        None if value is None else context.statement.parameter(_part(text, mark, converts, index), types[index], at=at)
        for index, value in enumerate(now)
    ]
    reverse = tuple(key.reversed() for key in keys)
    inwards, outwards = (keys, reverse) if side == "after" else (reverse, keys)
    return Bound(inside=beyond(inwards, values), outside=beyond(outwards, values, inclusive=True))


def _part(text: Source, mark: str, converts: Sequence[Convert], index: int) -> Source:
    return lambda binding: cursor_values(text(binding), mark, converts)[index]
