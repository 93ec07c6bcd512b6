"""The rehearsal: a document over one phantom of everything, which finds what is refused whether rows match or not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLUnionType,
    get_named_type,
    get_nullable_type,
)

from saas.reads.mapping import Column, ListRoot, OneRoot, ReadType, Sealed, ToMany
from saas.reads.naming import summed_columns
from tests.differential.checks import Checks
from tests.differential.judgement import Refused, World
from tests.differential.lists import Grouping, id_of


@dataclass(frozen=True)
class Phantom:
    """Stands for any object of a type while a document is rehearsed; `about` is what the real one would be about."""

    type_name: str
    about: Any = None


class Rehearsal(Checks):
    """Every field once, over one phantom of every object; the `turn`-th type of each union.

    A `lenient` one goes on below fields with bad arguments.
    """

    def __init__(self, world: World, turn: int, *, lenient: bool) -> None:
        super().__init__(world)
        self._turn = turn
        self._lenient = lenient

    def _attempt(self, check: Callable[[], object]) -> None:
        try:
            check()
        except Refused:
            if not self._lenient:
                raise

    def resolve(self, source: Any, info: GraphQLResolveInfo[Any], **given: Any) -> Any:
        """A phantom of the field's type, or what refuses the field."""
        parent, name = info.parent_type.name, info.field_name
        about = source.about if isinstance(source, Phantom) else None
        if parent == "Query":
            about = self._root(name, given)
        elif parent in self.world.registry.types:
            about = self._of_object(self.world.registry.types[parent], name, given)
        elif isinstance(about, Sealed | tuple):
            self._of_value(about, name)
        elif isinstance(about, Grouping) and parent.endswith("Group"):
            about = self._of_group(about, name)
            if about is None and name not in ("key", "count"):
                return None
        elif isinstance(about, ReadType) and parent.endswith("Summary"):
            about = self._of_summary(about, name)
        return self._phantom(info.return_type, about)

    def _root(self, name: str, given: Mapping[str, Any]) -> Any:
        if name == "node":
            return [self.type_of(given["id"])]
        if name == "nodes":
            return self.types_of(given["ids"])
        root = self.world.registry.roots_by_name[name]
        read_type = self.world.registry.types[root.target]
        if isinstance(root, OneRoot):
            self._attempt(lambda: id_of(given["id"], read_type.prefix))
        elif isinstance(root, ListRoot):
            self._attempt(self.root_list(root, given).check)
        else:
            grouping = Grouping(self.arguments(read_type, given))
            self._attempt(grouping.check)
            return grouping
        return read_type

    def _of_object(self, read_type: ReadType, name: str, given: Mapping[str, Any]) -> Any:
        of = self.world.registry.field(read_type.name, name)
        if of is None:
            return None
        self.check_field(read_type, of)
        if isinstance(of, ToMany):
            self._attempt(self.children(read_type, of, given).check)
            return self.world.registry.types[of.target]
        return (read_type, of) if isinstance(of, Sealed) else None

    def _of_value(self, about: Any, name: str) -> None:
        read_type, of = about
        if isinstance(of, Sealed) and name == "value":
            self.check_value(read_type, of)
        elif isinstance(of, Column):
            self.check_numbers(read_type, of, name)

    def _of_group(self, grouping: Grouping, name: str) -> Any:
        read_type = grouping.arguments.read_type
        if name in {column.name for column in summed_columns(read_type)}:
            return self._of_summary(read_type, name)
        return True if name == grouping.by.name else None

    def _of_summary(self, read_type: ReadType, name: str) -> Any:
        columns = {column.name: column for column in summed_columns(read_type)}
        if name not in columns:
            return None
        self.world.require_aggregate(read_type, columns[name])
        return read_type, columns[name]

    def _phantom(self, kind: GraphQLOutputType, about: Any) -> Any:
        named = get_named_type(kind)
        if isinstance(get_nullable_type(kind), GraphQLList):
            each = about if isinstance(about, list) else [about]
            return [self._one(named, item) for item in each]
        return self._one(named, about[0] if isinstance(about, list) else about)

    def _one(self, named: Any, about: Any) -> Any:
        if isinstance(named, GraphQLUnionType):
            return Phantom(named.types[self._turn % len(named.types)].name)
        if isinstance(named, GraphQLEnumType):
            return next(iter(named.values))
        if named.name == "Node":
            return Phantom(about.name)
        return _DUMMIES[named.name] if named.name in _DUMMIES else Phantom(named.name, about)


_DUMMIES: Mapping[str, Any] = {
    **dict.fromkeys(("ID", "String", "Date", "DateTime", "Decimal"), ""),
    "Int": 0,
    "Boolean": False,
}
