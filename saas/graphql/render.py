"""Mapping declarations rendered as GraphQL types: the schema follows from what the reader can compile.

Every field but the structural ones is nullable, since its right may be missing; every element is described with
the permission it needs and the version it came with.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any, Union

import strawberry
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from saas.graphql.render_inputs import Inputs, add_field, argument, list_of, member, nullable, since
from saas.reads import naming
from saas.reads.mapping import (
    Column,
    DataClass,
    Expression,
    FieldMapping,
    GroupRoot,
    ListRoot,
    Member,
    Members,
    OneRoot,
    ReadType,
    RootMapping,
    Sealed,
    SealedDocument,
    Told,
    ToMany,
    ToOne,
    ToUnion,
)
from saas.reads.registry import Registry


@strawberry.interface(description="An object with an id of its own. Since 0.1.")
class Node:
    """Whatever has an id."""

    id: strawberry.ID = strawberry.field(description="Opaque typed id, such as cus_… Since 0.1.")


@strawberry.type(description="Where a page of a list stands. Since 0.1.")
class PageInfo:
    """Relay's page info."""

    has_next_page: bool = strawberry.field(description="Whether more follow. Since 0.1.")
    has_previous_page: bool = strawberry.field(description="Whether more precede. Since 0.1.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first object. Since 0.1.")
    end_cursor: str | None = strawberry.field(description="Cursor of the last object. Since 0.1.")


@strawberry.type(description="Figures of one column over all rows of a list or group. Since 0.1.")
class NumberSummary:
    """Sum, average, least and greatest, exact."""

    sum: Decimal | None = strawberry.field(description="The sum; null without rows. Since 0.1.")
    avg: Decimal | None = strawberry.field(description="The average; null without rows. Since 0.1.")
    min: Decimal | None = strawberry.field(description="The least value; null without rows. Since 0.1.")
    max: Decimal | None = strawberry.field(description="The greatest value; null without rows. Since 0.1.")


@strawberry.type(description="A sentence of an explanation. Since 0.1.")
class ExplanationLine:
    """Deeper lines explain the one above them."""

    depth: int = strawberry.field(description="0 for the whole, one more for each level of reasons. Since 0.1.")
    text: str = strawberry.field(description="The sentence, in the caller's language. Since 0.1.")
    amount: str | None = strawberry.field(
        description="What it comes to, a decimal text, where it comes to an amount. Since 0.1."
    )
    key: str = strawberry.field(description="The sentence's key in the catalogue; never translated. Since 0.1.")
    source: str | None = strawberry.field(description="The id of the record it rests on. Since 0.1.")


class Rendered:
    """The Strawberry types of a registry: object types by name, and the compiled root fields."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._inputs = Inputs(registry)
        self._made: dict[str, Any] = {}
        for name, item in registry.types.items():
            text = since(f"{item.doc}. Needs a row scope on {name}", item.since)
            self._made[name] = strawberry.type(type(name, (Node,), {}), name=name, description=text)
        for name, item in registry.types.items():
            for field in item.fields:
                add_field(self._made[name], self._field(item, field))
        self.roots = [*(self._root(root) for root in registry.roots), *self._node_roots()]

    def enum(self, name: str) -> Any:
        """The Python enum of a mapped enum."""
        return self._inputs.kind(self._registry.enums[name])

    def type(self, name: str) -> Any:
        """The rendered object type, to be named in a payload."""
        return self._made[name]

    @property
    def types(self) -> list[Any]:
        """All rendered object types."""
        return [self._made[name] for name in self._registry.types]

    def _field(self, owner: ReadType, field: FieldMapping) -> StrawberryField:
        annotation, arguments = self._annotation(field)
        structural = isinstance(field, Column | Expression) and field.structural
        text = field.doc.rstrip(". ")
        if field.data_class is not DataClass.INTERNAL:
            text += f". Data class: {field.data_class.value}"
        if not structural:
            text += f". Needs {owner.name}.{field.name}"
        plugin = self._registry.plugin_of(f"{owner.name}.{field.name}")
        if plugin is not None:
            text += f". Plugin: {plugin}"
        whole = annotation if structural else nullable(annotation)
        return member(field.name, whole, since(text, field.since), arguments)

    def _annotation(self, field: FieldMapping) -> tuple[Any, list[StrawberryArgument]]:
        if isinstance(field, Column | Expression):
            return self._inputs.kind(field.kind), []
        if isinstance(field, Sealed):
            return self._sealed(field), []
        if isinstance(field, SealedDocument):
            return self._document(field.type_name, "An opened document", field.members, field.since), []
        if isinstance(field, ToOne):
            return self._made[field.target], []
        if isinstance(field, ToMany):
            target = self._registry.types[field.target]
            return self._connection(target), self._list_arguments(target, field.default_order)
        return self._union(field), []

    def _sealed(self, field: Sealed) -> Any:
        if field.type_name not in self._made:
            made = strawberry.type(
                type(field.type_name, (), {}),
                name=field.type_name,
                description=since("A sealed text and its masked form", field.since),
            )
            whole = since("The text itself. Needs the full right to the field", field.since)
            masked = since("The masked form. Needs at least the masked right to the field", field.since)
            add_field(made, member("value", nullable(str), whole))
            add_field(made, member("masked", nullable(str), masked))
            self._made[field.type_name] = made
        return self._made[field.type_name]

    def _document(self, type_name: str, text: str, members: Iterable[Member | Members], version: str) -> Any:
        if type_name not in self._made:
            self._made[type_name] = made = _object(type_name, since(text, version))
            for each in members:
                add_field(made, member(each.name, nullable(self._member(each, version)), _told(each, version)))
        return self._made[type_name]

    def _member(self, each: Member | Members, version: str) -> Any:
        if isinstance(each, Members):
            return list_of(self._document(each.type_name, each.doc, each.members, version))
        if each.kind is Told.EXPLANATION:
            return list_of(ExplanationLine)
        return str if isinstance(each.kind, Told) else self._inputs.kind(each.kind)

    def _union(self, field: ToUnion) -> Any:
        if field.union not in self._made:
            targets: Any = tuple(self._made[target] for target in field.targets)
            members: Any = Union[targets]  # noqa: UP007 (the members are values here)
            text = since(f"One of {', '.join(field.targets)}", field.since)
            self._made[field.union] = Annotated[members, strawberry.union(field.union, description=text)]
        return self._made[field.union]

    def _connection(self, target: ReadType) -> Any:
        name = naming.connection_name(target.name)
        if name in self._made:
            return self._made[name]
        item, v = self._made[target.name], target.since
        edge = _object(naming.edge_name(target.name), since(f"A {target.name} in a list, with its cursor", v))
        add_field(edge, member("cursor", str, since("Where this object stands in the list", v)))
        add_field(edge, member("node", item, since("The object", v)))
        made = _object(name, since(f"A page of {target.name} objects", v))
        add_field(made, member("nodes", list_of(item), since("The objects of the page", v)))
        add_field(made, member("edges", list_of(edge), since("The objects with their cursors", v)))
        add_field(made, member("pageInfo", PageInfo, since("Where the page stands", v)))
        add_field(made, member("totalCount", int, since("How many there are; counted only when selected", v)))
        add_field(made, member("summary", self._summary(target), since("Figures over the whole list", v)))
        self._made[name] = made
        return made

    def _summary(self, target: ReadType) -> Any:
        made = _object(naming.summary_name(target.name), since(f"Figures over {target.name} objects", target.since))
        add_field(made, member("count", int, since("How many there are", target.since)))
        self._add_sums(made, target)
        return made

    def _add_sums(self, owner: Any, target: ReadType) -> None:
        for column in naming.summed_columns(target):
            text = since(f"{column.doc}. Needs the right to aggregate {target.name}.{column.name}", column.since)
            add_field(owner, member(column.name, nullable(NumberSummary), text))

    def _groups(self, target: ReadType) -> Any:
        name = naming.groups_name(target.name)
        if name in self._made:
            return self._made[name]
        v = target.since
        group = _object(naming.group_name(target.name), since(f"{target.name} objects that share a value", v))
        add_field(group, member("key", nullable(str), since("The shared value as text; null for none", v)))
        add_field(group, member("count", int, since("How many there are", v)))
        for field in naming.group_values(target).values():
            annotation = self._made[field.target] if isinstance(field, ToOne) else self._inputs.kind(field.kind)
            text = since(f"The shared {field.name}, when grouped by it. Needs {target.name}.{field.name}", field.since)
            add_field(group, member(field.name, nullable(annotation), text))
        self._add_sums(group, target)
        made = _object(name, since(f"Groups of {target.name} objects", v))
        add_field(made, member("nodes", list_of(group), since("The groups, largest first unless ordered", v)))
        add_field(made, member("totalCount", int, since("How many groups there are", v)))
        self._made[name] = made
        return made

    def _list_arguments(self, target: ReadType, default_order: str) -> list[StrawberryArgument]:
        v = target.since
        order = self._inputs.order_of(target)
        return [
            argument("first", nullable(int), since("How many from the front, 1 to 100; first or last is needed", v)),
            argument("after", nullable(str), since("Cursor after which to begin", v)),
            argument("last", nullable(int), since("How many from the back, 1 to 100", v)),
            argument("before", nullable(str), since("Cursor before which to end", v)),
            argument("filter", nullable(self._inputs.filter_of(target)), since("Which objects", v)),
            argument("orderBy", nullable(list_of(order)), since(f"In which order; {default_order} by default", v)),
        ]

    def _root(self, root: RootMapping) -> StrawberryField:
        target = self._registry.types[root.target]
        text = since(f"{root.doc.rstrip('. ')}. Needs a row scope on {root.target}", root.since)
        if isinstance(root, OneRoot):
            id_argument = argument("id", strawberry.ID, since(f"Id of the {root.target}", root.since))
            return member(root.name, nullable(self._made[root.target]), text, [id_argument])
        if isinstance(root, ListRoot):
            arguments = self._list_arguments(target, root.default_order)
            return member(root.name, nullable(self._connection(target)), text, arguments)
        return member(root.name, nullable(self._groups(target)), text, self._group_arguments(root, target))

    def _group_arguments(self, root: GroupRoot, target: ReadType) -> list[StrawberryArgument]:
        v, order = root.since, self._inputs.group_order_of(target)
        return [
            argument("groupBy", self._inputs.group_by_of(target), since("What the objects of a group share", v)),
            argument("first", int, since("How many groups, 1 to 100", v)),
            argument("filter", nullable(self._inputs.filter_of(target)), since("Which objects", v)),
            argument("orderBy", nullable(order), since("In which order; COUNT_DESC by default", v)),
        ]

    def _node_roots(self) -> list[StrawberryField]:
        one = argument("id", strawberry.ID, "Id of an object of any type. Since 0.1.")
        many = argument("ids", list_of(strawberry.ID), "At most 100 ids, of any types. Since 0.1.")
        return [
            member(
                "node",
                nullable(Node),
                "The object with this id, or null. Needs a row scope on its type. Since 0.1.",
                [one],
            ),
            member(
                "nodes",
                nullable(list_of(nullable(Node))),
                "The objects with these ids, in their order, null for each that is missing. "
                "Needs a row scope on their types. Since 0.1.",
                [many],
            ),
        ]


def _told(each: Member | Members, version: str) -> str:
    if isinstance(each, Members):
        return since(f"{each.doc.rstrip('. ')}; at most {each.most}", version)
    is_tree = each.kind is Told.EXPLANATION
    return since(f"{each.doc.rstrip('. ')}; at most 4,000 lines" if is_tree else each.doc, version)


def _object(name: str, description: str) -> Any:
    return strawberry.type(type(name, (), {}), name=name, description=description)
