"""Groups: rows of one type grouped by one of its fields, with counts and sums, largest first.

A group's key, and the field it was grouped by, are null where the caller may not see the row that the key names.
"""

from __future__ import annotations

from collections.abc import Sequence

from graphql import FieldNode

from saas.kernel import AppError, BadUserInput, WrongIdType
from saas.reads.arguments import Argument, is_null, plain, read_arguments
from saas.reads.compilation import GATE, Compilation
from saas.reads.filters import FilterCompiler
from saas.reads.kinds import enum_name, json_of
from saas.reads.mapping import Column, GroupRoot, ScalarKind, ToOne
from saas.reads.naming import group_name, group_order_values, group_values, groups_name, summed_columns
from saas.reads.objects import ObjectCompiler, id_piece
from saas.reads.pages import page_size
from saas.reads.statement import NULL, At, Piece, Sql, Text, join, json_object, sql_of
from saas.reads.summaries import aggregate_sql, is_guarded, number_summary

_KEY, _COUNT, _ROW = "g.k", "g.n", 'g."#"'


def groups(context: Compilation, root: GroupRoot, nodes: Sequence[FieldNode], at: At) -> Piece:
    """The selection below a grouping root field.

    :raises BadUserInput: a bad size or filter value.
    :raises FieldForbidden: grouping, filtering or summing by what the caller may not use so.
    """
    return _Groups(context, root, nodes, at).compile()


class _Groups:
    def __init__(self, context: Compilation, root: GroupRoot, nodes: Sequence[FieldNode], at: At) -> None:
        self._context, self._nodes, self._at = context, nodes, at
        self._type = context.registry.types[root.target]
        self._alias = context.statement.alias()
        arguments = read_arguments(nodes[0], context.variables)
        self._by = group_values(self._type)[enum_name(plain(arguments["groupBy"]))]
        self._key = context.rights.used(self._type, self._by, f"{self._alias}.{self._by.column}", self._alias)
        self._order = self._order_sql(arguments.get("orderBy"))
        filters = FilterCompiler(context, self._type, self._alias, at)
        filters.require_uses(arguments.get("filter"))
        self._bad: AppError | None = None
        self._size, matching = "1", None
        try:
            self._size = page_size(context, arguments.get("first"), at)
            matching = filters.condition(arguments.get("filter"))
        except (BadUserInput, WrongIdType) as error:
            self._bad = error
        rows = [GATE, *context.rights.rows(self._type, self._alias), *([matching] if matching else [])]
        self._scan = f"{self._type.table} {self._alias} WHERE {' AND '.join(rows)}"
        self._columns: list[str] = []

    def compile(self) -> Piece:
        fields = self._context.selections.below(groups_name(self._type.name), self._nodes)
        document = json_object([(key, self._member(group, self._at.down(key))) for key, group in fields.items()])
        if self._bad is not None:  # only now: a refusal below it goes first
            raise self._bad
        return document

    def _member(self, nodes: Sequence[FieldNode], at: At) -> Piece:
        self._context.count_field()
        match nodes[0].name.value:
            case "nodes":
                return self._listed(nodes, at.into_list())
            case "totalCount":
                return Sql(f"(SELECT count(*)::text FROM (SELECT DISTINCT {self._key} FROM {self._scan}) d)")
            case _:
                return Text(f'"{groups_name(self._type.name)}"')

    def _listed(self, nodes: Sequence[FieldNode], at: At) -> Piece:
        self._columns = []
        fields = self._context.selections.below(group_name(self._type.name), nodes)
        item = json_object([(key, self._group_field(group, at.down(key))) for key, group in fields.items()])
        columns = [
            f"{self._key} AS k",
            "count(*) AS n",
            f'row_number() OVER (ORDER BY {self._order}, {self._key}) AS "#"',
            *(f"{sql} AS c{index}" for index, sql in enumerate(self._columns, 1)),
        ]
        grouped = f'SELECT {", ".join(columns)} FROM {self._scan} GROUP BY {self._key} ORDER BY "#" LIMIT {self._size}'
        texts = Sql(f"(SELECT string_agg({sql_of(item)}, ',' ORDER BY {_ROW}) FROM ({grouped}) g)")
        return join([Text("["), texts, Text("]")])

    def _group_field(self, nodes: Sequence[FieldNode], at: At) -> Piece:
        self._context.count_field()
        name = nodes[0].name.value
        columns = {column.name: column for column in summed_columns(self._type)}
        if name == "__typename":
            return Text(f'"{group_name(self._type.name)}"')
        if name == "count":
            return Sql(f"{_COUNT}::text")
        if name == "key":
            return self._key_text(at)
        if name in columns:
            numbers = number_summary(self._context, self._type, columns[name], self._alias, nodes, at)
            return self._column(numbers.sql) if isinstance(numbers, Sql) else numbers
        return self._grouped_value(nodes, at) if name == self._by.name else NULL

    def _column(self, sql: str) -> Piece:
        self._columns.append(sql)
        return Sql(f"g.c{len(self._columns)}")

    def _grouped_value(self, nodes: Sequence[FieldNode], at: At) -> Piece:
        if isinstance(self._by, Column):
            return Sql(json_of(_KEY, self._by.kind, nullable=True, digits=self._context.digits))
        target = self._context.registry.types[self._by.target]
        return ObjectCompiler(self._context).one(target, lambda alias: [f"{alias}.id = {_KEY}"], nodes, at)

    def _key_text(self, at: At) -> Piece:
        by = self._by
        if isinstance(by, ToOne):
            return self._key_id(by)
        if by.kind in (ScalarKind.INT, ScalarKind.BOOLEAN):
            return Sql(f"coalesce('\"' || ({_KEY})::text || '\"', 'null')")
        return Sql(json_of(_KEY, by.kind, nullable=True, digits=self._context.digits))

    def _key_id(self, by: ToOne) -> Piece:
        target = self._context.registry.types[by.target]
        alias = self._context.statement.alias()
        where = " AND ".join([f"{alias}.id = {_KEY}", *self._context.rights.rows(target, alias)])
        text = sql_of(id_piece(target, f"{alias}.id"))
        return Sql(f"coalesce((SELECT {text} FROM {target.table} {alias} WHERE {where}), 'null')")

    def _order_sql(self, argument: Argument | None) -> str:
        known = group_order_values(self._type)
        order = known["COUNT_DESC"]
        if argument is not None and not is_null(argument):
            order = known[enum_name(plain(argument))]
        way = "DESC NULLS LAST" if order.descending else "ASC NULLS LAST"
        if order.by == "count":
            return f"count(*) {way}"
        if order.by == "key" or order.column is None:
            return f"{self._key} {way}"
        column = f"{self._alias}.{order.column.column}"
        value = self._context.rights.aggregated(self._type, order.column, column, self._alias)
        guarded = is_guarded(self._context, self._type, order.column)
        return f"{aggregate_sql(value, 'sum', order.column, guarded=guarded)} {way}"
