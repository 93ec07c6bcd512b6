"""The whole schema: rendered types, the rooms' own root fields, scalars, limits in its description; printing, drift.

Root fields are nullable, those that always answer too: a refusal of one then leaves the others' answers standing
(with several mutations in one operation, a non-null payload that is refused would hide what the others did).
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import strawberry
from graphql import GraphQLSchema, lexicographic_sort_schema, print_schema
from strawberry.annotation import StrawberryAnnotation
from strawberry.schema.config import StrawberryConfig
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from saas.graphql.arguments import ArgumentConverters
from saas.graphql.fields import RootField, strawberry_field
from saas.graphql.limits import Limits
from saas.graphql.payloads import ENUM, MAPPED, OPTIONAL
from saas.graphql.render import Rendered
from saas.graphql.render_inputs import list_of, nullable
from saas.graphql.scalars import SCALARS
from saas.reads.registry import Registry

_SINCE = re.compile(r"Since \d+\.\d+\.$")


class _Schema(strawberry.Schema):
    """Strawberry's schema with our references resolved: a field of `mapped` gets the rendered type."""

    rendered: Rendered

    def get_fields(self, type_definition: StrawberryObjectDefinition) -> list[StrawberryField]:
        fields = [self._resolved(field) for field in super().get_fields(type_definition)]
        return [_since_its_type(field, type_definition) for field in fields] if type_definition.is_input else fields

    def _resolved(self, field: StrawberryField) -> StrawberryField:
        annotation = self._annotation(field)
        if annotation is None:
            return field
        found = copy.copy(field)
        found.type_annotation = StrawberryAnnotation(annotation)
        return found

    def _annotation(self, field: StrawberryField) -> Any:
        """The rendered type that a payload's or an input's field stands for; None for an ordinary field."""
        if ENUM in field.metadata:
            found = self.rendered.enum(field.metadata[ENUM])
            return nullable(found) if OPTIONAL in field.metadata else found
        if MAPPED not in field.metadata:
            return None
        type_name, many = field.metadata[MAPPED]
        target: Any = self.rendered.type(type_name)
        return list_of(target) if many else nullable(target)


def _since_its_type(field: StrawberryField, owner: StrawberryObjectDefinition) -> StrawberryField:
    """A field of an input came with its input, unless it says otherwise."""
    since = _SINCE.search(owner.description or "")
    if since is None or not field.description or _SINCE.search(field.description):
        return field
    found = copy.copy(field)
    found.description = f"{field.description} {since[0]}"
    return found


@dataclass(frozen=True)
class ApiSchema:
    """The schema and what the door looks up in it: the rooms' root fields and the compiled ones, by name."""

    strawberry: strawberry.Schema
    graphql: GraphQLSchema
    registry: Registry
    queries: Mapping[str, RootField]
    mutations: Mapping[str, RootField]
    subscriptions: Mapping[str, RootField]
    arguments: ArgumentConverters

    def declared(self, type_name: str) -> Mapping[str, RootField]:
        """The rooms' root fields of Query, Mutation or Subscription, by name."""
        return {"Query": self.queries, "Mutation": self.mutations, "Subscription": self.subscriptions}[type_name]

    def is_compiled(self, name: str) -> bool:
        """Whether a field of Query is answered by the compiled reader."""
        return name in ("node", "nodes") or name in self.registry.roots_by_name

    def print(self) -> str:
        """The schema as text, sorted: what ``schema.graphql`` holds."""
        return print_schema(lexicographic_sort_schema(self.graphql)) + "\n"


def build_schema(registry: Registry, modules: Iterable[ModuleType] = (), *, limits: Limits | None = None) -> ApiSchema:
    """The schema of a registry and the root fields declared in `modules`.

    :raises TypeError: two root fields share a name, or a payload has a field without a default.
    """
    modules = tuple(modules)
    rendered = Rendered(registry)
    declared = [value for module in modules for value in vars(module).values() if isinstance(value, RootField)]
    queries, mutations, subscriptions = (_by_name(declared, kind) for kind in ("Query", "Mutation", "Subscription"))
    for root in mutations.values():
        _check_payload(root)
    query = _root_type("Query", "What can be read.", [*rendered.roots, *map(strawberry_field, queries.values())])
    mutation = _root_type("Mutation", "What can be done.", [strawberry_field(root) for root in mutations.values()])
    told = [strawberry_field(root) for root in subscriptions.values()]
    subscription = _root_type("Subscription", "What is told as it happens.", told) if told else None
    implementers = [value for module in modules for value in vars(module).values() if _implements(value)]
    roots = {"query": query, "mutation": mutation if mutations else None, "subscription": subscription}
    made = _made_schema(rendered, implementers, roots)
    core: GraphQLSchema = made._schema
    core.description = f"Fairlead: customers, performance and pay of sales teams. {(limits or Limits()).sentence()}"
    return ApiSchema(made, core, registry, queries, mutations, subscriptions, ArgumentConverters(made))


def drift(schema: ApiSchema, committed: str) -> list[str]:
    """The lines in which the committed text differs from the schema, as ``-old`` and ``+new``; empty when equal."""
    from_code, from_file = set(schema.print().splitlines()), set(committed.splitlines())
    if schema.print() == committed:
        return []
    gone = [f"-{line}" for line in committed.splitlines() if line not in from_code]
    new = [f"+{line}" for line in schema.print().splitlines() if line not in from_file]
    return [*gone, *new] or ["the order of lines differs"]


def _made_schema(rendered: Rendered, implementers: list[type], roots: Mapping[str, type | None]) -> strawberry.Schema:
    class Bound(_Schema):
        pass

    Bound.rendered = rendered
    config = StrawberryConfig(disable_field_suggestions=True, scalar_map=SCALARS)
    return Bound(**roots, types=[*rendered.types, *implementers], config=config)  # type: ignore[arg-type]


def _implements(value: object) -> bool:
    """Whether it is an object type that is reached through an interface only, and must be named to the schema."""
    definition = getattr(value, "__strawberry_definition__", None)
    return isinstance(definition, StrawberryObjectDefinition) and bool(definition.interfaces)


def _root_type(name: str, description: str, fields: list[StrawberryField]) -> type:
    made: Any = strawberry.type(type(name, (), {}), name=name, description=f"{description} Since 0.1.")
    made.__strawberry_definition__.fields.extend(fields)
    return made  # type: ignore[no-any-return]


def _by_name(roots: Iterable[RootField], type_name: str) -> dict[str, RootField]:
    found: dict[str, RootField] = {}
    for root in (each for each in roots if each.type_name == type_name):
        if found.setdefault(root.name, root) is not root:
            raise TypeError(f"root field {root.name} is declared twice")
    return found


def _check_payload(root: RootField) -> None:
    """A payload must be makeable from user errors alone."""
    try:
        root.result(user_errors=[])
    except TypeError as error:
        raise TypeError(f"payload of {root.name}: each field but user_errors needs a default ({error})") from error
