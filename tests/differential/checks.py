"""What refuses a field before any row is looked at; shared by the rehearsal and the real run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from saas.access.table import FieldAccess
from saas.reads.mapping import Column, FieldMapping, ListRoot, ReadType, Sealed, ToMany
from tests.differential.judgement import Refused, World, bad_input
from tests.differential.lists import Connection, ListArguments, split_id

_MOST_IDS = 100


class Checks:
    """Rights and arguments of a field, decided before any row is looked at."""

    def __init__(self, world: World) -> None:
        self.world = world

    def arguments(self, read_type: ReadType, given: Mapping[str, Any]) -> ListArguments:
        return ListArguments(self.world, read_type, given)

    def check_field(self, read_type: ReadType, of: FieldMapping) -> None:
        """Refuse a field that is denied everywhere."""
        readable = self.world.right(read_type, of).access in (FieldAccess.ALLOW, FieldAccess.ROWS)
        if not readable and self.world.maskable(read_type, of).access is FieldAccess.DENY:
            raise Refused("FIELD_FORBIDDEN", f"{read_type.name}.{of.name}")

    def check_value(self, read_type: ReadType, of: Sealed) -> None:
        """Refuse the clear value of a sealed field to whom only its masked form is given."""
        if self.world.right(read_type, of).access in (FieldAccess.DENY, FieldAccess.MASKED):
            raise Refused("FIELD_FORBIDDEN", f"{read_type.name}.{of.name}")

    def check_numbers(self, read_type: ReadType, column: Column, function: str) -> None:
        """Refuse extremes that would tell one person's value."""
        if function in ("min", "max") and self.world.guarded(read_type, column):
            raise Refused("FIELD_FORBIDDEN", f"{read_type.name}.{column.name}")

    def children(self, read_type: ReadType, of: ToMany, given: Mapping[str, Any]) -> Connection:
        target = self.world.registry.types[of.target]
        return Connection(f"{read_type.name}.{of.name}", self.arguments(target, given), of.default_order)

    def root_list(self, root: ListRoot, given: Mapping[str, Any]) -> Connection:
        target = self.world.registry.types[root.target]
        return Connection(f"Query.{root.name}", self.arguments(target, given), root.default_order)

    def type_of(self, public_id: str) -> ReadType:
        """The type that an id is of."""
        prefix, _ = split_id(public_id)
        found = self.world.registry.type_of(prefix)
        if found is None:
            raise bad_input()
        return found

    def types_of(self, public_ids: Sequence[str]) -> list[ReadType]:
        if len(public_ids) > _MOST_IDS:
            raise bad_input()
        return [self.type_of(each) for each in public_ids]
