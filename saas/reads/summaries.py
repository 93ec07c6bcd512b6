"""Counts and sums: what a summary, or a group, selects of a set of rows.

The right to aggregate is one of its own: it gives sums of what may not be read row by row. Such sums, and pay's
always, are shown for five rows or more, and their least and greatest never: each would name one person's value.
With a right to read some rows only, those are the rows that are summed.
"""

from __future__ import annotations

from collections.abc import Sequence

from graphql import FieldNode

from saas.access.table import FieldAccess
from saas.reads.compilation import Compilation
from saas.reads.kinds import major
from saas.reads.mapping import Column, DataClass, ReadType, ScalarKind
from saas.reads.naming import NUMBER_SUMMARY
from saas.reads.statement import NULL, At, Piece, Sql, Text, json_object

FEWEST = 5
"""Fewer rows than this hide what is guarded."""

_FUNCTIONS = {"sum": "sum({})", "avg": "round(avg({}), 4)", "min": "min({})", "max": "max({})"}
_AMOUNT_FUNCTIONS = {**_FUNCTIONS, "avg": "round(avg(({})::numeric(38, 12)))"}
"""Averages of amounts are rounded once, to the smallest unit: twelve digits keep every half apart from what is near."""

_PERSON_SHOWING = frozenset({"min", "max"})


def number_summary(
    context: Compilation, read_type: ReadType, column: Column, alias: str, nodes: Sequence[FieldNode], at: At
) -> Piece:
    """``{sum avg min max}`` of a column over the rows of an aggregate query; averages are rounded to 4 places.

    Of an amount all four have the digits of the tenant's currency, the average rounded half up to them.

    :raises FieldForbidden: the caller may not aggregate the column.
    """
    value = context.rights.aggregated(read_type, column, f"{alias}.{column.column}", alias)
    members: list[tuple[str, Piece]] = []
    for key, fields in context.selections.below(NUMBER_SUMMARY, nodes).items():
        name = fields[0].name.value
        context.count_field()
        if name == "__typename":
            members.append((key, Text(f'"{NUMBER_SUMMARY}"')))
        elif name in _PERSON_SHOWING and is_guarded(context, read_type, column):
            error = context.rights.refusal("reads.extreme_hidden", read_type, column)
            context.statement.report(error, at.down(key), field=f"{read_type.name}.{column.name}")
            members.append((key, NULL))
        else:
            found = aggregate_sql(value, name, column, guarded=is_guarded(context, read_type, column))
            shown = major(found, context.digits) if column.kind is ScalarKind.AMOUNT else found
            members.append((key, Sql(_printed(shown))))
    return json_object(members)


def is_guarded(context: Compilation, read_type: ReadType, column: Column) -> bool:
    """Whether a sum of few rows would tell what the caller may not know of one: pay, or what they can't read."""
    readable = context.rights.of_field(read_type, column).access in (FieldAccess.ALLOW, FieldAccess.ROWS)
    return column.data_class is DataClass.PAY or not readable


def aggregate_sql(value: str, function: str, column: Column, *, guarded: bool) -> str:
    """One aggregate of a value of the column, as it is stored; hidden for fewer than `FEWEST` where it is guarded."""
    sql = (_AMOUNT_FUNCTIONS if column.kind is ScalarKind.AMOUNT else _FUNCTIONS)[function].format(value)
    return f"CASE WHEN count({value}) >= {FEWEST} THEN {sql} END" if guarded else sql


def _printed(sql: str) -> str:
    return f"coalesce('\"' || ({sql})::text || '\"', 'null')"
