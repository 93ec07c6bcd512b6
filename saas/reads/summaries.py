"""Counts and sums: what a summary, or a group, selects of a set of rows.

Pay is never shown for fewer than five rows, and its least and greatest never: each would name a person's pay.
"""

from __future__ import annotations

from collections.abc import Sequence

from graphql import FieldNode

from saas.reads.compilation import Compilation
from saas.reads.mapping import Column, DataClass, ReadType
from saas.reads.naming import NUMBER_SUMMARY
from saas.reads.statement import NULL, At, Piece, Sql, Text, json_object

FEWEST_PAID = 5
"""Groups of fewer rows hide pay."""

_FUNCTIONS = {"sum": "sum({})", "avg": "round(avg({}), 4)", "min": "min({})", "max": "max({})"}
_PERSON_SHOWING = frozenset({"min", "max"})


def number_summary(
    context: Compilation, read_type: ReadType, column: Column, alias: str, nodes: Sequence[FieldNode], at: At
) -> Piece:
    """``{sum avg min max}`` of a column over the rows of an aggregate query; averages are rounded to 4 places.

    :raises FieldForbidden: the caller may not aggregate the column.
    """
    value = context.rights.aggregated(read_type, column, f"{alias}.{column.column}", alias)
    members: list[tuple[str, Piece]] = []
    for key, fields in context.selections.below(NUMBER_SUMMARY, nodes).items():
        name = fields[0].name.value
        context.count_field()
        if name == "__typename":
            members.append((key, Text(f'"{NUMBER_SUMMARY}"')))
        elif column.data_class is DataClass.PAY and name in _PERSON_SHOWING:
            error = context.rights.refusal("reads.pay_extreme_hidden", read_type, column)
            context.statement.report(error, at.down(key), field=f"{read_type.name}.{column.name}")
            members.append((key, NULL))
        else:
            members.append((key, Sql(_printed(aggregate_sql(column, value, name)))))
    return json_object(members)


def aggregate_sql(column: Column, value: str, function: str) -> str:
    """One aggregate of a value, hidden where it would show the pay of too few."""
    sql = _FUNCTIONS[function].format(value)
    if column.data_class is DataClass.PAY:
        return f"CASE WHEN count({value}) >= {FEWEST_PAID} THEN {sql} END"
    return sql


def _printed(sql: str) -> str:
    return f"coalesce('\"' || ({sql})::text || '\"', 'null')"
