"""What the compilers of objects, lists, filters and groups share while one statement is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from graphql import FieldNode

from saas.kernel import AppError, BadUserInput, WrongIdType
from saas.reads.documents import Spoken
from saas.reads.errors import too_large
from saas.reads.mapping import ReadType
from saas.reads.registry import Registry
from saas.reads.rights import Rights
from saas.reads.selection import Selections
from saas.reads.statement import NULL, At, Piece, Statement

MOST_FIELDS = 5_000
"""Selected fields of one root field, every alias and level counted; past it the statement would be unreasonable."""

GATE = "t.v IS NOT NULL"
"""On every outermost scan: PostgreSQL can't read before the tenant is set, because the scan depends on it."""

BadArguments = Mapping[tuple[str, ...], AppError]
"""Arguments found bad when they were bound, by the place of their field."""

RenderObject = Callable[[ReadType, str, Sequence[FieldNode], At], Piece]
"""Renders the selection below some fields as one row's JSON object; given the type and the row's alias."""


@dataclass(slots=True)
class Compilation:
    """One root field on its way to SQL; `digits` are those behind the point of the tenant's currency."""

    registry: Registry
    rights: Rights
    statement: Statement
    selections: Selections
    variables: Mapping[str, object]
    max_page: int
    bad_arguments: BadArguments
    digits: int
    spoken: Spoken | None = None
    fields: int = 0
    cacheable: bool = True

    def attempt(self, at: At, compile_field: Callable[[], Piece]) -> Piece:
        """The field at a place; null and an error where its arguments are bad. Refusals of rights pass through."""
        before = self.statement.mark()
        try:
            if at.keys in self.bad_arguments:
                raise self.bad_arguments[at.keys]
            return compile_field()
        except (BadUserInput, WrongIdType) as error:
            self.cacheable = False  # equal shapes may hold good values
            self.statement.take_back(before)
            self.statement.report(error, at)
            return NULL

    def count_field(self) -> None:
        """Bound the size of the statement."""
        self.fields += 1
        if self.fields > MOST_FIELDS:
            raise too_large(MOST_FIELDS)
