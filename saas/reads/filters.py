"""Filters: an input object becomes a condition over a row.

Keys beside each other hold together; ``and``, ``or`` and ``not`` nest to depth 3. ``not`` is two-valued: a row whose
value is NULL fails ``eq`` and passes ``not {eq}``. An absent or null key says nothing, except that a null operand
(``{eq: null}``) is refused: silently dropping it would show all rows to who asked for none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from saas.reads.arguments import Argument, Binding, Convert, Leaf, is_null, plain, source_of
from saas.reads.compilation import Compilation
from saas.reads.errors import bad_input
from saas.reads.kinds import converter, each, id_converter, is_text, next_prefix, sql_type
from saas.reads.mapping import Column, FilterOp, ReadType, Sealed, ToOne
from saas.reads.statement import At

DEEPEST = 3
MOST_IN = 100
MOST_CONDITIONS = 100


class FilterCompiler:
    """Compiles the filter of one list over rows of one type."""

    def __init__(self, context: Compilation, read_type: ReadType, alias: str, at: At) -> None:
        self._context = context
        self._type = read_type
        self._alias = alias
        self._at = at
        self._count = 0

    def condition(self, argument: Argument | None) -> str | None:
        """The condition; None where nothing is filtered.

        :raises BadUserInput: nested too deep, or a value that is none of its field's kind.
        :raises WrongIdType: the id of another type.
        :raises FieldForbidden: a field that the caller may not filter by; `require_uses` tells before values are read.
        """
        return None if is_null(argument) or argument is None else self._all(argument, 0)

    def require_uses(self, argument: Argument | None) -> None:
        """Refuse the operation for a field that the caller may not filter by, whatever else is wrong with the list.

        :raises FieldForbidden: such a field is named, be its values good or bad.
        """
        if not isinstance(argument, dict):
            return
        for name, part in argument.items():
            if name in ("and", "or", "not"):
                for item in _items(part):
                    self.require_uses(item)
                continue
            field = self._context.registry.field(self._type.name, name)
            if field is not None and not is_null(part):
                self._context.rights.require_use(self._type, field)

    def _all(self, argument: Argument, depth: int) -> str | None:
        if not isinstance(argument, dict):
            return None
        conditions = [self._key(name, part, depth) for name, part in argument.items() if not is_null(part)]
        return _combine("AND", [item for item in conditions if item is not None])

    def _key(self, name: str, part: Argument, depth: int) -> str | None:
        if name in ("and", "or", "not"):
            if depth == DEEPEST:
                raise bad_input("reads.filter_too_deep", deepest=DEEPEST)
            return self._logic(name, part, depth + 1)
        return self._field(name, part)

    def _logic(self, name: str, part: Argument, depth: int) -> str | None:
        if name == "not":
            inner = self._all(part, depth)
            return f"({inner or 'true'}) IS NOT TRUE"
        items = _items(part)
        if len(items) > MOST_CONDITIONS:
            raise bad_input("reads.filter_too_long", most=MOST_CONDITIONS)
        parts = [self._all(item, depth) or "true" for item in items]
        return _combine(name.upper(), parts) or ("true" if name == "and" else "false")

    def _field(self, name: str, part: Argument) -> str | None:
        field = self._context.registry.field(self._type.name, name)
        if not isinstance(part, dict) or not isinstance(field, Column | ToOne | Sealed):
            return None
        self._count += len(part)
        if self._count > MOST_CONDITIONS:
            raise bad_input("reads.filter_too_long", most=MOST_CONDITIONS)
        conditions = [self._operation(field, FilterOp(op), operand) for op, operand in part.items()]
        combined = _combine("AND", conditions)
        return combined and self._context.rights.matched(self._type, field, combined, self._alias)

    def _operation(self, field: Column | ToOne | Sealed, op: FilterOp, operand: Argument) -> str:
        if is_null(operand) or (isinstance(operand, list) and any(is_null(item) for item in operand)):
            raise bad_input("reads.filter_null", operator=op.value, field=field.name)
        if op is FilterOp.IS_NULL:
            column = field.masked_column if isinstance(field, Sealed) else field.column
            return f"{self._alias}.{column} IS {'NULL' if plain(operand) is True else 'NOT NULL'}"
        if isinstance(field, Sealed):
            return self._sealed(field, operand)
        return self._compare(field, op, operand)

    def _compare(self, field: Column | ToOne, op: FilterOp, operand: Argument) -> str:
        if isinstance(field, ToOne):
            target = self._context.registry.types[field.target]
            column, convert, kind = f"{self._alias}.{field.column}", id_converter(target.prefix), "uuid"
        else:
            convert = converter(field.kind, self._context.digits)
            column, kind = _collated(field, self._alias), sql_type(field.kind)
        return _OPERATIONS[op](self, column, convert, kind, operand)

    def _sealed(self, field: Sealed, operand: Argument) -> str:
        """Equality of the blind index; its digest is computed at each run, with the tenant's key."""
        name = f"{self._type.name}.{field.name}"
        text = source_of(operand, str)

        def digest(binding: Binding) -> object:
            if binding.open_row is None:
                raise RuntimeError(f"{name} is looked for without keys")
            return binding.open_row.blind_index(field.data_class.value, name, str(text(binding)))

        self._context.statement.needs_keys = True
        return f"{self._alias}.{field.index_column} = {self._context.statement.parameter(digest, 'bytea', at=self._at)}"

    def parameter(self, operand: Argument, convert: Convert, kind: str) -> str:
        """The operand as a parameter of this list."""
        return self._context.statement.parameter(source_of(operand, convert), kind, at=self._at)


def _equal(filters: FilterCompiler, column: str, convert: Convert, kind: str, operand: Argument) -> str:
    return f"{column} = {filters.parameter(operand, convert, kind)}"


def _in(filters: FilterCompiler, column: str, convert: Convert, kind: str, operand: Argument) -> str:
    return f"{column} = ANY ({filters.parameter(operand, _bounded(each(convert)), f'{kind}[]')})"


def _from(filters: FilterCompiler, column: str, convert: Convert, kind: str, operand: Argument) -> str:
    return f"{column} >= {filters.parameter(operand, convert, kind)}"


def _below(filters: FilterCompiler, column: str, convert: Convert, kind: str, operand: Argument) -> str:
    return f"{column} < {filters.parameter(operand, convert, kind)}"


def _starts_with(filters: FilterCompiler, column: str, convert: Convert, kind: str, operand: Argument) -> str:
    """A range in code point order, because LIKE can't reach an index under row-level security."""
    start = filters.parameter(operand, convert, kind)
    end = filters.parameter(operand, lambda value: next_prefix(str(convert(value))), kind)
    return f"{column} >= {start} AND {column} < {end}"


_Operation = Callable[[FilterCompiler, str, Convert, str, Argument], str]
_OPERATIONS: Mapping[FilterOp, _Operation] = {
    FilterOp.EQ: _equal,
    FilterOp.IN: _in,
    FilterOp.GTE: _from,
    FilterOp.LT: _below,
    FilterOp.STARTS_WITH: _starts_with,
}


def _items(part: Argument) -> list[Argument]:
    """The parts of ``and`` or ``or``: one object stands for a list of one; an empty list of a variable has none."""
    if isinstance(part, Leaf):
        return []
    return part if isinstance(part, list) else [part]


def _collated(column: Column, alias: str) -> str:
    """Text that is ordered or looked up by prefix has a COLLATE "C" index; other text keeps its column's own."""
    in_code_points = is_text(column.kind) and (
        (column.orderable and column.order_column is None) or FilterOp.STARTS_WITH in column.filters
    )
    return f'{alias}.{column.column} COLLATE "C"' if in_code_points else f"{alias}.{column.column}"


def _bounded(convert: Convert) -> Convert:
    def bounded(values: object) -> object:
        if isinstance(values, list):
            if len(values) > MOST_IN:
                raise bad_input("reads.filter_too_many", given=len(values), most=MOST_IN)
            if any(value is None for value in values):
                raise bad_input("reads.filter_null", operator="in", field=None)
        return convert(values)

    return bounded


def _combine(word: str, conditions: list[str]) -> str | None:
    if len(conditions) < 2:
        return conditions[0] if conditions else None
    return "(" + f" {word} ".join(conditions) + ")"
