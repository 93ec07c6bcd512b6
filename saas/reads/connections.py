"""Relay connections: a page of rows, its edges and page info, and totals over the whole list, in one sub-select.

Only what is selected is computed. A page scans its rows in the order of an index and stops at the limit (one row
further where the next page's existence is asked); totals are one more scan beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from graphql import FieldNode

from saas.kernel import AppError, BadUserInput, WrongIdType
from saas.reads.arguments import read_arguments
from saas.reads.compilation import Compilation, RenderObject
from saas.reads.filters import FilterCompiler
from saas.reads.mapping import ReadType
from saas.reads.naming import PAGE_INFO, connection_name, edge_name, summary_name, summed_columns
from saas.reads.orders import Key, order_of, require_order_uses
from saas.reads.pages import Bound, Page, page_of, page_of_one
from saas.reads.selection import Fields
from saas.reads.statement import At, Piece, Sql, Text, join, json_object, sql_of
from saas.reads.summaries import number_summary

_ROW = '"#"'
_ONE_ROW = " HAVING true"
"""Makes a scan one row also where nothing of it is aggregated (``pageInfo {hasPreviousPage}`` alone)."""
_OF_PAGE = frozenset({"nodes", "edges", "pageInfo"})
_OF_TOTALS = frozenset({"totalCount", "summary"})


@dataclass(frozen=True, slots=True)
class ListOf:
    """The rows that a connection lists.

    `name` identifies the list in its cursors; `conditions` gives, for the rows' alias, what ties them to their
    parent (or to the statement's gate).
    """

    name: str
    read_type: ReadType
    default_order: str
    conditions: Callable[[str], list[str]]


@dataclass(slots=True)
class _Columns:
    """Aggregates of one scan: written in place where it is the only scan, else columns of a derived table."""

    alias: str
    inline: bool
    columns: list[str] = field(default_factory=list)

    def add(self, sql: str) -> str:
        if self.inline:
            return sql
        self.columns.append(sql)
        return f"{self.alias}.c{len(self.columns)}"

    def derived(self, source: str) -> str:
        listed = ", ".join(f"{sql} AS c{index}" for index, sql in enumerate(self.columns, 1))
        return f"(SELECT {listed} FROM {source}{_ONE_ROW}) {self.alias}"


def connection(context: Compilation, rows: ListOf, nodes: Sequence[FieldNode], at: At, render: RenderObject) -> Piece:
    """The selection below a connection field.

    :raises BadUserInput: bad page sizes, cursors or filter values.
    :raises FieldForbidden: a filter, order or sum by a field that the caller may not use so.
    """
    return _Connection(context, rows, nodes, at, render).compile()


class _Connection:
    def __init__(
        self, context: Compilation, rows: ListOf, nodes: Sequence[FieldNode], at: At, render: RenderObject
    ) -> None:
        self._context, self._rows, self._at, self._render = context, rows, at, render
        self._type = rows.read_type
        self._alias = context.statement.alias()
        arguments = read_arguments(nodes[0], context.variables)
        filters = FilterCompiler(context, self._type, self._alias, at)
        require_order_uses(context, self._type, arguments.get("orderBy"))
        filters.require_uses(arguments.get("filter"))
        self._bad: AppError | None = None
        matching = None
        try:
            order = order_of(context, self._type, arguments.get("orderBy"), rows.default_order, self._alias)
            self._page = page_of(context, arguments, order, rows.name, self._alias, at)
            matching = filters.condition(arguments.get("filter"))
        except (BadUserInput, WrongIdType) as error:
            self._bad, self._page = error, page_of_one(self._alias)
        self._conditions = [
            *rows.conditions(self._alias),
            *context.rights.rows(self._type, self._alias),
            *([matching] if matching else []),
        ]
        self._fields = context.selections.below(connection_name(self._type.name), nodes)
        names = {fields[0].name.value for fields in self._fields.values()}
        self._pages, self._totals = bool(names & _OF_PAGE), bool(names & _OF_TOTALS)
        self._page_columns = _Columns("p", inline=not self._totals)
        self._total_columns = _Columns("s", inline=not self._pages)
        self._looks_ahead = self._asks_for("hasPreviousPage" if self._page.backward else "hasNextPage")

    def compile(self) -> Piece:
        members = [(key, self._member(fields[0].name.value, key, fields)) for key, fields in self._fields.items()]
        if self._bad is not None:  # only now: a refusal below it goes first
            raise self._bad
        document = json_object(members)
        if isinstance(document, Text):
            return document
        both = self._pages and self._totals
        return Sql(f"(SELECT {document.sql} FROM {', '.join(self._sources())}{'' if both else _ONE_ROW})")

    def _sources(self) -> list[str]:
        """The scans behind the members: one in place, or both as derived tables of one row each."""
        totals = f"{self._type.table} {self._alias} WHERE {' AND '.join(self._conditions)}"
        if not self._totals:
            return [self._window()]
        if not self._pages:
            return [totals]
        return [self._page_columns.derived(self._window()), self._total_columns.derived(totals)]

    def _member(self, name: str, key: str, fields: Sequence[FieldNode]) -> Piece:
        self._context.count_field()
        at = self._at.down(key)
        match name:
            case "nodes":
                return self._listed(self._render(self._type, self._alias, fields, at.into_list()))
            case "edges":
                return self._listed(self._edge(fields, at.into_list()))
            case "pageInfo":
                return self._page_info(fields)
            case "totalCount":
                return Sql(self._total_columns.add("count(*)") + "::text")
            case "summary":
                return self._summary(fields, at)
            case _:
                return Text(f'"{connection_name(self._type.name)}"')

    def _listed(self, item: Piece) -> Piece:
        texts = f"string_agg({sql_of(item)}, ',' ORDER BY {self._sorted(self._page.keys)}){self._within()}"
        return join([Text("["), Sql(self._page_columns.add(texts)), Text("]")])

    def _edge(self, nodes: Sequence[FieldNode], at: At) -> Piece:
        members: list[tuple[str, Piece]] = []
        for key, fields in self._context.selections.below(edge_name(self._type.name), nodes).items():
            self._context.count_field()
            match fields[0].name.value:
                case "node":
                    members.append((key, self._render(self._type, self._alias, fields, at.down(key))))
                case "cursor":
                    cursor = self._page.cursor(self._key_columns(), f"{self._alias}.id")
                    members.append((key, join([Text('"'), Sql(cursor), Text('"')])))
                case _:
                    members.append((key, Text(f'"{edge_name(self._type.name)}"')))
        return json_object(members)

    def _page_info(self, nodes: Sequence[FieldNode]) -> Piece:
        page = self._page
        fields: Fields = self._context.selections.below(PAGE_INFO, nodes)
        members: list[tuple[str, Piece]] = []
        for key, group in fields.items():
            self._context.count_field()
            match group[0].name.value:
                case "hasNextPage":
                    ahead = self._exists(page.before) if page.backward else self._more(page.before)
                    members.append((key, _boolean(self._page_columns.add(ahead))))
                case "hasPreviousPage":
                    behind = self._more(page.after) if page.backward else self._exists(page.after)
                    members.append((key, _boolean(self._page_columns.add(behind))))
                case "startCursor":
                    members.append((key, self._end_cursor(page, from_end=False)))
                case "endCursor":
                    members.append((key, self._end_cursor(page, from_end=True)))
                case _:
                    members.append((key, Text(f'"{PAGE_INFO}"')))
        return json_object(members)

    def _end_cursor(self, page: Page, *, from_end: bool) -> Piece:
        """The cursor of the first or last row shown; only that one is printed."""
        keys = [key.reversed() for key in page.keys] if from_end else list(page.keys)
        ends = [
            f"(array_agg({column} ORDER BY {self._sorted(keys)}){self._within()})[1]"
            for column in (*self._key_columns(), f"{self._alias}.id")
        ]
        cursor = f"CASE WHEN count(*) > 0 THEN '\"' || {page.cursor(ends[:-1], ends[-1])} || '\"' ELSE 'null' END"
        return Sql(self._page_columns.add(cursor))

    def _summary(self, nodes: Sequence[FieldNode], at: At) -> Piece:
        columns = {column.name: column for column in summed_columns(self._type)}
        members: list[tuple[str, Piece]] = []
        for key, fields in self._context.selections.below(summary_name(self._type.name), nodes).items():
            name = fields[0].name.value
            self._context.count_field()
            if name == "count":
                members.append((key, Sql(self._total_columns.add("count(*)") + "::text")))
            elif name in columns:
                numbers = number_summary(self._context, self._type, columns[name], self._alias, fields, at.down(key))
                summed = Sql(self._total_columns.add(numbers.sql)) if isinstance(numbers, Sql) else numbers
                members.append((key, summed))
            else:
                members.append((key, Text(f'"{summary_name(self._type.name)}"')))
        return json_object(members)

    def _window(self) -> str:
        """The page's rows under the rows' own alias, in order, with their order values as columns of their own."""
        page, alias = self._page, self._alias
        scanned = [key.reversed() for key in page.keys] if page.backward else page.keys
        order = ", ".join(key.ordered(key.sql) for key in scanned)
        columns = [f"{alias}.*", *(f'{key.sql} AS "#{index}"' for index, key in enumerate(page.keys[:-1]))]
        if self._looks_ahead:
            columns.append(f"row_number() OVER (ORDER BY {order}) AS {_ROW}")
        where = " AND ".join([*self._conditions, *page.conditions])
        limit = f"{page.size} + 1" if self._looks_ahead else page.size
        scan = f"SELECT {', '.join(columns)} FROM {self._type.table} {alias} WHERE {where}"
        return f"({scan} ORDER BY {order} LIMIT {limit}) {alias}"

    def _key_columns(self) -> list[str]:
        return [f'{self._alias}."#{index}"' for index in range(len(self._page.keys) - 1)]

    def _sorted(self, keys: Sequence[Key]) -> str:
        columns = (*self._key_columns(), f"{self._alias}.id")
        return ", ".join(key.ordered(column) for key, column in zip(keys, columns, strict=True))

    def _within(self) -> str:
        return f" FILTER (WHERE {self._alias}.{_ROW} <= {self._page.size})" if self._looks_ahead else ""

    def _more(self, bound: Bound | None) -> str:
        """Whether rows were left over by the limit, or lie past the bound on that side."""
        over = f"count(*) > {self._page.size}"
        return over if bound is None else f"({over} OR {self._exists(bound)})"

    def _exists(self, bound: Bound | None) -> str:
        """Whether rows lie at or past a cursor: those that it cut off."""
        if bound is None:
            return "false"
        where = " AND ".join([*self._conditions, bound.outside])
        return f"EXISTS (SELECT FROM {self._type.table} {self._alias} WHERE {where})"

    def _asks_for(self, name: str) -> bool:
        infos = [field for fields in self._fields.values() for field in fields if field.name.value == "pageInfo"]
        selected = self._context.selections.below(PAGE_INFO, infos)
        return any(fields[0].name.value == name for fields in selected.values())


def _boolean(sql: str) -> Piece:
    return Sql(f"CASE WHEN {sql} THEN 'true' ELSE 'false' END")
