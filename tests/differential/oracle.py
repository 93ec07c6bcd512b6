"""The oracle: graphql-core executes the printed schema with resolvers of our own over rows in memory.

It knows the declarations (`saas.reads.mapping`), not the compiler. Merging of fields, directives, defaults of
arguments and null propagation are graphql-core's. A document runs twice: a rehearsal over one phantom of everything
finds what is refused whether rows match or not; then the real run answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from graphql import DocumentNode, GraphQLError, GraphQLSchema, GraphQLUnionType, execute_sync

from tests.differential.judgement import World
from tests.differential.performance import Found, Performance
from tests.differential.rehearsal import Phantom, Rehearsal

ErrorAt = tuple[str, tuple[str | int, ...], str, str | None]
"""Code, reported path, all response keys of the way, and the field."""


@dataclass(frozen=True)
class Outcome:
    """What a document comes to. `refusals`: fields whose use refuses the whole operation, whatever else is bad."""

    data: dict[str, Any] | None
    errors: frozenset[ErrorAt]
    row_errors: frozenset[ErrorAt]
    refusals: frozenset[str]
    opened: frozenset[tuple[str, str, str]]


class Oracle:
    """Answers documents as the specification and the rooms' declarations say."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema

    def run(self, document: DocumentNode, variables: Mapping[str, Any], world: World) -> Outcome:
        """The outcome for one caller."""
        always = self._rehearse(document, variables, replace(world, refusals=set()), lenient=False)
        self._rehearse(document, variables, world, lenient=True)
        performed = replace(world, refusals=set(), opened=set())
        data, errors = self._execute(document, variables, Performance(performed))
        of_fields = {_reported(error) for error in errors if not _of_row(error)}
        assert of_fields <= always, f"not rehearsed: {of_fields - always}"
        return Outcome(
            data,
            frozenset(always),
            frozenset(_reported(error) for error in errors if _of_row(error)),
            frozenset(world.refusals),
            frozenset((type_name, name, row_id.hex) for type_name, name, row_id in performed.opened),
        )

    def _rehearse(
        self, document: DocumentNode, variables: Mapping[str, Any], world: World, *, lenient: bool
    ) -> set[ErrorAt]:
        """What is refused everywhere; once for each way in which unions may turn out."""
        always: set[ErrorAt] = set()
        unions = [item for item in self._schema.type_map.values() if isinstance(item, GraphQLUnionType)]
        for turn in range(max([len(union.types) for union in unions], default=1)):
            _, errors = self._execute(document, variables, Rehearsal(world, turn, lenient=lenient))
            always.update(_reported(error) for error in errors)
        return always

    def _execute(
        self, document: DocumentNode, variables: Mapping[str, Any], cast: Performance | Rehearsal
    ) -> tuple[dict[str, Any] | None, list[GraphQLError]]:
        result = execute_sync(
            self._schema,
            document,
            variable_values=dict(variables),
            field_resolver=cast.resolve,
            type_resolver=lambda value, *_: _type_name(value),
        )
        for error in result.errors or []:
            if "code" not in (error.extensions or {}):
                raise AssertionError(f"the oracle failed at {error.path}: {error}") from error.original_error
        return result.data, result.errors or []


def _type_name(value: Found | Phantom) -> str:
    return value.type_name if isinstance(value, Phantom) else value.read_type.name


def _of_row(error: GraphQLError) -> bool:
    return bool((error.extensions or {})["of_row"])


def _reported(error: GraphQLError) -> ErrorAt:
    """An error with its exact place where it is one row's; else its place down to the first list."""
    extensions, path = error.extensions or {}, tuple(error.path or ())
    way = ".".join(key for key in path if isinstance(key, str))
    listed = next((at for at, key in enumerate(path) if isinstance(key, int)), len(path))
    return extensions["code"], path if extensions["of_row"] else path[:listed], way, extensions["field"]
